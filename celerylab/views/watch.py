"""``lab.watch()``: listen to the workers' task events for the length of a ``with`` block."""

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from celerylab.errors import LabError, Timeout
from celerylab.stack import control
from celerylab.stack import texts as stack_texts
from celerylab.views import texts
from celerylab.views.runs import FINAL, Run, Runs
from celerylab.views.table import Table

if TYPE_CHECKING:
    from celerylab.views.picture import Picture

PROBE = "lab-listening"
LISTEN_TIMEOUT = 10.0
PAUSE = 0.02
LOOK_UP = 0.1  # s between two looks at whether the block has ended


class Watch:
    """Task events as they happen, and what they add up to. A loop over it gives the runs.

    Parameters
    ----------
    url
        The broker.
    wait
        When the block ends, wait so many seconds at most for tasks that were sent within it
        to end.
    others
        Beginning of the names of tasks that somebody else sends; they are left out, unless this
        process sends them.

    Attributes
    ----------
    began
        When the block began, in seconds since the epoch.
    """

    def __init__(self, url: str, wait: float = 10.0, others: str | None = None) -> None:
        self.began = 0.0
        self._url = url
        self._wait = wait
        self._others = others
        self._left_out: set[str] = set()
        self._runs = Runs()
        self._lock = threading.Lock()
        self._listening = threading.Event()
        self._stopping = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._listen, name="celerylab-watch", daemon=True)

    @property
    def runs(self) -> list[Run]:
        """The runs seen so far."""
        with self._lock:
            return list(self._runs)

    @property
    def open(self) -> bool:
        """Whether a task that was seen is not done."""
        with self._lock:
            return bool(self._runs.open_ids())

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return repr(self.table())

    def table(self, *columns: str) -> Table:
        """Return who ran what, when, in which process, a row a run.

        Parameters
        ----------
        columns
            Some of ``task``, ``id``, ``args``, ``state``, ``worker``, ``process``, ``waited``,
            ``ran``; all but ``id`` if none is given.
        """
        for name in columns:
            if name not in texts.COLUMN:
                raise LabError(texts.NO_COLUMN.format(name=name, names=", ".join(texts.COLUMN)))
        shown = columns or [name for name in texts.COLUMN if name != "id"]
        rows = [[_shown(getattr(run, name)) for name in shown] for run in self.runs]
        return Table([texts.COLUMN[name] for name in shown], rows, empty=texts.NOTHING_SEEN)

    def until(self, state: str, task_id: str, *, timeout: float = 10.0) -> None:
        """Return once a task is in a state, as far as the events tell.

        Parameters
        ----------
        state
            Such as ``RECEIVED`` or ``STARTED``, of the task's newest run.
        task_id
            The task's id.
        timeout
            Seconds; ``Timeout`` after that, which says in which state it was.
        """
        deadline = time.monotonic() + timeout
        while (found := self._state(task_id)) != state:
            if time.monotonic() > deadline:
                raise Timeout(
                    texts.NOT_IN_STATE.format(
                        seconds=f"{timeout:g}", id=task_id, state=state, seen=found or texts.NO_EVENT
                    )
                )
            time.sleep(PAUSE)

    def timeline(self) -> "Picture":
        """Draw each run as a bar in the lane of the process or thread that ran it."""
        from celerylab.views.timeline import timeline  # matplotlib, only once a figure is wanted

        return timeline(self.runs)

    def __enter__(self) -> Self:
        # both before the thread starts: two threads that import them at once may lock each other out
        import celery.events.dispatcher
        import celery.events.receiver  # noqa: F401
        from celery.signals import before_task_publish

        before_task_publish.connect(self._on_publish, weak=False, dispatch_uid=id(self))
        self.began = float("inf")
        self._thread.start()
        try:
            self._wait_listening()
        except BaseException:  # an interrupt, too: no block follows, with whose end this would end
            before_task_publish.disconnect(dispatch_uid=id(self))
            self._stopping = True
            raise
        self.began = time.time()
        return self

    def __exit__(self, *_: object) -> None:
        from celery.signals import before_task_publish

        before_task_publish.disconnect(dispatch_uid=id(self))
        deadline = time.monotonic() + self._wait
        try:
            while self.open and time.monotonic() < deadline:
                time.sleep(PAUSE)
        finally:
            self._stopping = True
        self._thread.join()

    def _state(self, task_id: str) -> str | None:
        with self._lock:
            runs = self._runs.by_id.get(task_id)
            return runs[-1].state if runs else None

    def _on_publish(self, sender: str, headers: dict[str, Any], **_: object) -> None:
        with self._lock:
            self._runs.sent(headers["id"], sender, headers["argsrepr"], time.time())

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["type"] == PROBE:
            self._listening.set()
        elif event["type"].startswith("task-"):
            with self._lock:
                # events come late, in batches: those of a task from before the block, and the end
                # of one whose beginning nobody saw, are not part of it
                known = event["type"] not in FINAL or event["uuid"] in self._runs.by_id
                if known and event["timestamp"] >= self.began and not self._is_of_others(event):
                    self._runs.event(event)

    def _is_of_others(self, event: dict[str, Any]) -> bool:
        sent_here = event["uuid"] in self._runs.by_id
        if self._others and not sent_here and event.get("name", "").startswith(self._others):
            self._left_out.add(event["uuid"])
        return event["uuid"] in self._left_out

    def _listen(self) -> None:
        app = control.client(self._url)
        try:
            with app.connection_for_read() as connection:
                receiver = app.events.Receiver(connection, handlers={"*": self._on_event})
                # not capture(): it looks up only after a second of silence, and with several
                # workers, each with its heartbeat, that second may never come
                receiver.on_iteration = lambda: setattr(receiver, "should_stop", self._stopping)
                for _ in receiver.consume(limit=None, safety_interval=LOOK_UP, wakeup=False):
                    pass
        except Exception as failure:  # noqa: BLE001  # told to the learner by whoever waits for us
            self._failure = failure

    def _wait_listening(self) -> None:
        # an event of our own that comes back proves that nothing sent from now on is missed
        app = control.client(self._url)
        deadline = time.monotonic() + LISTEN_TIMEOUT
        with app.connection_for_write() as connection, app.events.Dispatcher(connection) as dispatcher:
            while not self._listening.wait(PAUSE):
                if self._failure or time.monotonic() > deadline:
                    reason = self._failure or f"{LISTEN_TIMEOUT:g} s"
                    raise Timeout(stack_texts.NOT_LISTENING.format(reason=reason))
                dispatcher.send(PROBE)


def _shown(value: object) -> object:
    if value is None:
        return ""
    return round(value, 2) if isinstance(value, float) else value
