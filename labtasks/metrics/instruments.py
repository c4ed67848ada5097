"""Counters and histograms, and the signals that move them.

Most runs end where they began, in a process or thread of the pool. Of a process that was killed,
or that met a hard time limit, only the main process can tell; of a hard limit it tells twice.

Source: Celery's ``celery/app/trace.py`` and ``celery/worker/request.py``, which send the signals.
"""

import time
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import signals, states
from prometheus_client import CollectorRegistry, Counter, Histogram

from labtasks.queue_health import waited_since

RUN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)  # s
WAIT = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600)  # s
LOST = (TimeLimitExceeded, WorkerLostError)
STARTED = "_metrics_started"
# any name may stand in a message, and each new one would be a series of its own for ever
UNKNOWN = "(not registered)"


class Instruments:
    """The metrics of one worker.

    Parameters
    ----------
    app
        Only its tasks count.
    registry
        Where the metrics are registered; ``None`` if their values are read from files.
    """

    def __init__(self, app: Any, registry: CollectorRegistry | None) -> None:
        self.app = app
        self._tasks = Counter(
            "celery_tasks", "Runs of tasks that have ended.", ["task", "state"], registry=registry
        )
        self._run = Histogram(
            "celery_task_run_seconds", "How long runs took.", ["task"], buckets=RUN, registry=registry
        )
        self._wait = Histogram(
            "celery_task_wait_seconds",
            "Time from sending, or the eta, to the start.",
            ["task"],
            buckets=WAIT,
            registry=registry,
        )
        self._received: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._told: WeakSet[Any] = WeakSet()

    def connect(self) -> None:
        """Begin to count."""
        handlers = {
            signals.task_received: self._on_received,
            signals.task_prerun: self._on_start,
            signals.task_postrun: self._on_end,
            signals.task_failure: self._on_failure,
            signals.task_revoked: self._on_revoked,
            signals.task_unknown: self._on_unknown,
        }
        for signal, handler in handlers.items():
            # not weakly: nobody else holds these methods
            signal.connect(handler, weak=False, dispatch_uid=("metrics", id(self.app)))

    def _on_received(self, request: Any, **_: object) -> None:
        self._received[request.id] = request

    def _on_start(self, sender: Any, task: Any, **_: object) -> None:
        if self._counts(sender):
            # in the request, which each run has for itself: two runs may have the same id
            setattr(task.request, STARTED, time.perf_counter())
            since = waited_since(vars(task.request))
            if since is not None:
                self._wait.labels(task.name).observe(max(0.0, time.time() - since))

    def _on_end(self, sender: Any, task: Any, state: str | None = None, **_: object) -> None:
        # no state: the process is being killed, and its main process will tell
        if self._counts(sender) and state is not None:
            began = getattr(task.request, STARTED, None)
            self._ended(task.name, state, None if began is None else time.perf_counter() - began)

    def _on_failure(self, sender: Any, task_id: str, exception: Any, **_: object) -> None:
        if sender is not None and sender.app is self.app and isinstance(exception, LOST):
            self._ended_early(sender.name, states.FAILURE, self._received.get(task_id))

    def _on_revoked(self, sender: Any, request: Any, **_: object) -> None:
        if sender is not None and sender.app is self.app:
            self._ended_early(sender.name, states.REVOKED, request)

    def _on_unknown(self, sender: Any, **_: object) -> None:
        if sender.app is self.app:
            self._ended(UNKNOWN, states.FAILURE, None)

    def _ended(self, task: str, state: str, seconds: float | None) -> None:
        self._tasks.labels(task, state).inc()
        if seconds is not None:
            self._run.labels(task).observe(seconds)

    def _ended_early(self, task: str, state: str, request: Any) -> None:
        """Count a run of which the main process tells, once."""
        if request is None or request not in self._told:
            began = getattr(request, "time_start", None)
            self._ended(task, state, time.time() - began if began else None)
            if request is not None:
                self._told.add(request)

    def _counts(self, task: Any) -> bool:
        return task.app is self.app and not task.request.is_eager
