"""Log lines of workers: to the console, as Celery writes them, and to the database."""

import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from celery import signals
from celery._state import get_current_task
from sqlalchemy import Engine

from labtasks import database
from labtasks.records.storing import write_lines
from labtasks.records.tables import LONGEST, clean, packed
from labtasks.records.writer import Writer

if TYPE_CHECKING:
    from labtasks.records.recorder import Recorder

logger = logging.getLogger("celery.task.info")

_FORMATTER = logging.Formatter()
_OWN = logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys() | {
    "task_id",
    "task_name",
    "message",
    "asctime",
    "data",
}


def setup_celery_logging(
    recorder: "Recorder | None" = None,
    *,
    engine: Callable[[], Engine] = database.engine,
    level: int | str = logging.INFO,
) -> "WorkerDBLogHandler":
    """Let a worker's log lines go to the database, besides the console that Celery sets up.

    Call it where the app is made. Celery's own options stay what they are: ``-l`` is the console's
    level, ``-f`` a file. The lines of tasks do not reach the root logger, therefore the handler is
    added to both.

    Parameters
    ----------
    recorder
        What ``install`` has returned: lines and records share its thread and its transactions.
    engine
        Returns the engine of the database, if there is no recorder.
    level
        Of the lines that go to the database; the root logger lets through what either wants.
    """
    writer = recorder.writer if recorder else Writer(engine)
    handler = WorkerDBLogHandler(writer, level, lambda: recorder.worker if recorder else None)

    def add(logger: logging.Logger, **_: object) -> None:
        if handler not in logger.handlers:
            wanted = logger.level or logging.WARNING
            for console in logger.handlers:
                console.setLevel(max(console.level, wanted))
            logger.setLevel(min(wanted, handler.level))
            logger.addHandler(handler)

    signals.after_setup_logger.connect(add, weak=False, dispatch_uid=("records log", id(handler)))
    signals.after_setup_task_logger.connect(add, weak=False, dispatch_uid=("records task log", id(handler)))
    return handler


class WorkerDBLogHandler(logging.Handler):
    """Writes log lines to the table ``worker_logs``, in batches, by the writer's thread.

    Parameters
    ----------
    writer
        Has the thread, one a process; keeps a bounded number of lines while the database is away.
    level
        Of the lines that are written.
    worker
        Returns the name of the worker's node.
    """

    def __init__(
        self,
        writer: Writer,
        level: int | str = logging.INFO,
        worker: Callable[[], str | None] = lambda: None,
    ) -> None:
        super().__init__(level)
        self.writer, self._worker = writer, worker

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over a line; never raise, never wait."""
        if self.writer.is_this_thread():  # what the thread itself logs would come back to it
            return
        try:
            self.writer.put(write_lines, self._row(record))
        except Exception:  # noqa: BLE001  # logging must not stop who logs
            self.handleError(record)

    def flush(self) -> None:
        """Wait until all lines are written, or for some seconds."""
        if not self.writer.is_this_thread():
            self.writer.flush()

    def _row(self, record: logging.LogRecord) -> dict[str, Any]:
        known = record.__dict__
        fields = known.get("fields")
        if fields is None and known.keys() - _OWN:
            fields = {name: value for name, value in known.items() if name not in _OWN}
        return {
            "at": record.created,
            "level": record.levelname,
            "logger": record.name[:255],
            "text": clean(record.getMessage()[:LONGEST]),
            "task_id": _task_id(record),
            "worker": self._worker(),
            "pid": record.process or 0,
            "fields": packed(fields) if fields else None,
            "traceback": clean(_FORMATTER.formatException(record.exc_info)[:LONGEST])
            if record.exc_info and record.exc_info[0]
            else None,
        }


def log_task_info(message: str, *args: Any, **fields: Any) -> None:
    """Log a line of the task that runs, with fields by name; outside of a task, a plain line."""
    log_task(get_current_task(), "INFO", message, args, fields)


def log_task(task: Any, level: str, message: str, args: tuple[Any, ...], fields: Mapping[str, Any]) -> None:
    """Log a line of a task, with its id and name."""
    whose = {}
    if task is not None and task.request.id:
        whose = {"task_id": task.request.id, "task_name": task.name}
    said = [message % args if args else message, *(f"{name}={value}" for name, value in fields.items())]
    logger.log(
        logging.getLevelName(level),
        "%s",
        " ".join(said),
        exc_info=level == "ERROR" and sys.exc_info()[0] is not None,
        extra={"fields": dict(fields), **whose},
    )


def _task_id(record: logging.LogRecord) -> str | None:
    known = record.__dict__
    if found := known.get("task_id"):
        return None if found == "???" else str(found)
    if isinstance(record.args, Mapping) and "id" in record.args:  # Celery's own lines of a task's end
        return str(record.args["id"])
    data = known.get("data")
    if isinstance(data, Mapping) and "id" in data:  # and of its arrival
        return str(data["id"])
    task = get_current_task()
    return task.request.id if task is not None and task.request else None
