"""``ContextTask``: the class of every task whose runs are recorded."""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from celery import Task

from labtasks.records.logging import log_task


class ContextTask(Task):
    """A task that runs in a context, and whose state changes are recorded.

    Give it to the app as ``Celery(task_cls=ContextTask)``: that holds for every task, also for those
    that are defined before the app is finalized and for those of other modules.

    Attributes
    ----------
    resend_if_lost
        Whether the watchdog sends it again when its worker has died. Set it for tasks that may run
        twice, and whose messages are acknowledged early: what is acknowledged late comes back by itself.
    """

    abstract = True
    Request = "labtasks.records.request:RecordingRequest"
    resend_if_lost = False

    def context(self) -> AbstractContextManager[Any]:
        """Return what each run is wrapped in, such as the application context of Flask; nothing here."""
        return nullcontext()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it in its context: in a worker, or called as a function."""
        with self.context():
            return super().__call__(*args, **kwargs)

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        """Remember when this run began."""
        self.request.began = time.time()

    def update_state(
        self, task_id: str | None = None, state: str | None = None, meta: Any = None, **more: Any
    ) -> None:
        """Set the task's state, and record its progress."""
        super().update_state(task_id=task_id, state=state, meta=meta, **more)
        recorder = self._recorder()
        if recorder is not None and state == "PROGRESS" and task_id in (None, self.request.id):
            recorder.progress(self.request, self.name, meta)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        """Record what it returned."""
        recorder = self._recorder()
        if recorder is not None and not self.request.is_eager:
            recorder.result(task_id, retval)

    def log_error(self, message: str, *args: Any, **fields: Any) -> None:
        """Log an error of this task, with fields by name; inside ``except``, with its traceback."""
        log_task(self, "ERROR", message, args, fields)

    def log_info(self, message: str, *args: Any, **fields: Any) -> None:
        """Log a line of this task, with fields by name."""
        log_task(self, "INFO", message, args, fields)

    def _recorder(self) -> Any:
        return getattr(self.app, "records", None)
