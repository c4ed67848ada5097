"""Who tells of state changes: Celery's signals, the request in a worker's main process, the task."""

import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery import signals
from sqlalchemy import Engine

from labtasks import database
from labtasks.records.leases import renewal, stopped
from labtasks.records.states import FAILURE, PENDING, PROGRESS, RECEIVED, REVOKED
from labtasks.records.storing import write_changes, write_results
from labtasks.records.tables import LONGEST, clean, finite, packed
from labtasks.records.writer import Writer
from labtasks.settings import settings

if TYPE_CHECKING:
    from celery import Celery

lifecycle = logging.getLogger("celery.task.lifecycle")

SHOWN = 500  # characters of an error, in a log line
BEATS = 3  # in a lease


def install(app: "Celery", engine: Callable[[], Engine] = database.engine) -> "Recorder":
    """Record what becomes of an app's tasks.

    Call it where the app is made; its tasks must be ``ContextTask``: ``Celery(task_cls=ContextTask)``.

    Parameters
    ----------
    app
        The app; other apps of the process are none of its business.
    engine
        Returns the engine of the database; called in each process when it is first needed.
    """
    recorder = Recorder(app, engine)
    recorder.connect()
    app.records = recorder
    return recorder


class Recorder:
    """Hands state changes to the writer, and logs each; see ``install``."""

    def __init__(self, app: "Celery", engine: Callable[[], Engine]) -> None:
        self.app = app
        self.writer = Writer(engine)
        self.instance: str | None = None  # of the worker, from its start on; its pool inherits it
        self.worker: str | None = None
        self._handlers = {
            signals.after_task_publish: self._on_sent,
            signals.celeryd_after_setup: self._on_setup,
            signals.worker_ready: self._on_ready,
            signals.worker_process_shutdown: self._on_process_end,
            signals.worker_shutdown: self._on_shutdown,
            signals.task_received: self._on_received,
            signals.task_revoked: self._on_revoked,
            signals.task_unknown: self._on_unknown,
            signals.task_rejected: self._on_rejected,
        }

    def connect(self) -> None:
        """Begin to record."""
        for signal, handler in self._handlers.items():
            # not weakly: nobody else holds these methods
            signal.connect(handler, weak=False, dispatch_uid=("records", id(self.app)))

    def disconnect(self) -> None:
        """Record no more of what signals tell."""
        for signal in self._handlers:
            signal.disconnect(dispatch_uid=("records", id(self.app)))

    def note(self, task_id: str, name: str | None, state: str, retries: int, at: float, **more: Any) -> None:
        """Record a state change, and log it; never raise.

        Parameters
        ----------
        task_id, name, state, retries
            Of the task.
        at
            When it came about, in seconds since 1970.
        more
            Other columns of the record.
        """
        change = {"task_id": task_id, "name": name, "state": state, "retries": retries, "at": at, **more}
        self.writer.put(write_changes, change)
        if lifecycle.isEnabledFor(logging.INFO):
            self._log(change)

    def result(self, task_id: str, value: Any) -> None:
        """Record what a task returned."""
        row = {"task_id": task_id, "state": PENDING, "retries": 0, "changed_at": 0.0, "result": packed(value)}
        self.writer.put(write_results, row)

    def progress(self, request: Any, name: str, information: Any) -> None:
        """Record how far a task is."""
        now = time.time()
        self.note(
            request.id, name, PROGRESS, request.retries or 0, request.get("began") or now,
            progress=packed(information), progress_at=now,
        )  # fmt: skip

    def told(self, request: Any, state: str, at: float, **more: Any) -> None:
        """Record what a request of the main process tells."""
        known = request.request_dict
        more = {k: clean(v[:LONGEST]) if isinstance(v, str) else v for k, v in more.items()}
        self.note(
            request.id, request.name, state, known.get("retries") or 0, at,
            worker=self.worker, instance=self.instance, job=known.get("job"), **more,
        )  # fmt: skip

    def _log(self, change: dict[str, Any]) -> None:
        state = change["state"]
        details = {
            name: value
            for name in ("retries", "worker", "pid", "job", "runtime", "error", "progress")
            if (value := change.get(name)) not in (None, "", 0)
        }
        text = " ".join([f"state={state}", *(f"{name}={_short(value)}" for name, value in details.items())])
        level = logging.WARNING if state in (FAILURE, REVOKED) else logging.INFO
        lifecycle.log(
            level,
            "%s",
            text,
            extra={
                "task_id": change["task_id"],
                "task_name": change["name"],
                "fields": {"state": state, **details},
            },
        )

    # -- what the sender tells ----------------------------------------------------------

    def _on_sent(self, sender: str, headers: Any, routing_key: str | None = None, **_: object) -> None:
        if not headers or "id" not in headers or headers.get("retries") or sender not in self.app.tasks:
            return  # no task, or the retry of one: that is told where it failed
        self.note(
            headers["id"], sender, PENDING, 0, time.time(),
            queue=routing_key, args=_repr(headers.get("argsrepr")), kwargs=_repr(headers.get("kwargsrepr")),
            root_id=headers.get("root_id"), parent_id=headers.get("parent_id"), job=headers.get("job"),
        )  # fmt: skip

    # -- what a worker's main process tells ---------------------------------------------

    def _on_setup(self, instance: Any, **_: object) -> None:
        if instance.app is self.app:
            self.instance, self.worker = uuid.uuid4().hex, instance.hostname

    def _on_ready(self, sender: Any, **_: object) -> None:
        if self._ours(sender) and self.instance and self.worker:
            lease = settings(broker_url="").records_lease
            self.writer.every(lease / BEATS, renewal(self.instance, self.worker))

    def _on_process_end(self, **_: object) -> None:
        self.writer.close()

    def _on_shutdown(self, sender: Any, **_: object) -> None:
        if self._ours(sender) and self.instance:
            self.writer.put(stopped, self.instance)
            self.writer.close()

    def _on_received(self, sender: Any, request: Any, **_: object) -> None:
        if self._ours(sender):
            known = request.request_dict
            info = request.delivery_info
            message = None
            if getattr(request.task, "resend_if_lost", False):
                message = _message(request)
            self.told(
                request, RECEIVED, time.time(),
                queue=info.get("routing_key"), args=_repr(known.get("argsrepr")),
                kwargs=_repr(known.get("kwargsrepr")), root_id=request.root_id,
                parent_id=request.parent_id, message=message,
            )  # fmt: skip

    def _on_revoked(self, sender: Any, request: Any, terminated: Any, expired: Any, **_: object) -> None:
        if self._ours(sender):
            why = "expired" if expired else "terminated" if terminated else "revoked"
            self.note(
                request.id, sender.name, REVOKED, request.retries or 0, time.time(),
                worker=self.worker, instance=self.instance, error=why, job=request.get("job"),
                queue=(request.delivery_info or {}).get("routing_key"),
                args=_repr(request.argsrepr), kwargs=_repr(request.kwargsrepr),
            )  # fmt: skip

    def _on_unknown(self, sender: Any, message: Any, name: str, id: str, **_: object) -> None:  # noqa: A002
        if self._ours(sender):
            self._refused(message, id, name, f"NotRegistered: {name}")

    def _on_rejected(self, sender: Any, message: Any, exc: Any, **_: object) -> None:
        headers = message.headers or {}
        if self._ours(sender) and "id" in headers:
            self._refused(message, headers["id"], headers.get("task"), f"{type(exc).__name__}: {exc}")

    def _refused(self, message: Any, task_id: str, name: str | None, error: str) -> None:
        headers = message.headers or {}
        self.note(
            task_id, name, FAILURE, headers.get("retries") or 0, time.time(),
            worker=self.worker, instance=self.instance, error=clean(error[:LONGEST]), job=headers.get("job"),
            queue=(message.delivery_info or {}).get("routing_key"),
            args=_repr(headers.get("argsrepr")), kwargs=_repr(headers.get("kwargsrepr")),
        )  # fmt: skip

    def _ours(self, sender: Any) -> bool:
        return getattr(sender, "app", None) is self.app


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{finite(value):.3f}"
    text = str(value).replace("\n", " ")[:SHOWN]
    return f'"{text}"' if " " in text else text


def _repr(text: object) -> str | None:
    return None if text is None else clean(str(text)[:LONGEST])


def _message(request: Any) -> str | None:
    """Return the arguments of a message, as they came, if they can be sent again."""
    if request.content_type != "application/json" or len(request.body) > LONGEST:
        return None
    body = request.body
    return clean(body.decode() if isinstance(body, bytes) else body)
