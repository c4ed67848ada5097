"""The request of a task as a worker's main process has it: told of every end, also of killed processes."""

import time
from typing import Any

from celery.exceptions import Ignore, Retry, TimeLimitExceeded
from celery.worker.request import Request

from labtasks.records.states import ENDED, FAILURE, IGNORED, REJECTED, RETRY, STARTED, SUCCESS


class RecordingRequest(Request):
    """Tells the app's recorder what the pool tells it.

    In a prefork worker this runs in the main process. A process of the pool that is killed, by a
    time limit, by the system, takes nothing with it.

    Source: "Custom task classes" and "Requests and custom requests" in Celery's guide on tasks.
    """

    _requeued = _retried = _had_succeeded = _told_end = False

    def __init_subclass__(cls, **options: Any) -> None:
        # Celery derives a class for each task, with an on_success that does not call this one's
        super().__init_subclass__(**options)
        if theirs := vars(cls).get("on_success"):

            def on_success(self: "RecordingRequest", result: Any, **more: Any) -> Any:
                returned = theirs(self, result, **more)
                failed, shown, runtime = result
                if not failed:
                    self._tell(SUCCESS, runtime=runtime, returned=shown)
                return returned

            cls.on_success = on_success

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """Record that it runs."""
        super().on_accepted(pid, time_accepted)
        self._tell(STARTED, at=self.time_start, pid=pid)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Record that the hard limit has ended it."""
        super().on_timeout(soft, timeout)
        if not soft:
            self._tell(REJECTED if self._requeued else FAILURE, error=_said(TimeLimitExceeded(timeout)))

    def on_retry(self, exc_info: Any) -> None:
        """Record that it is tried again."""
        super().on_retry(exc_info)
        self._tell(RETRY, error=_said(exc_info.exception.exc or exc_info.exception))

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Record how it has ended, unless somebody else tells."""
        before = self._already_revoked, self._already_cancelled
        super().on_failure(exc_info, send_failed_event, return_ok)
        error = getattr(exc_info.exception, "exc", None) or exc_info.exception
        if self._requeued:
            self._tell(REJECTED, error=_said(error))
        elif self._had_succeeded:
            self._tell(SUCCESS)
        elif isinstance(error, Ignore):
            self._tell(IGNORED)
        elif not (self._retried or self._already_revoked or any(before)) and not _is_retry(exc_info):
            self._tell(FAILURE, error=_said(error), traceback=str(exc_info.traceback))

    def reject(self, requeue: bool = False) -> None:
        """Remember whether its message comes again."""
        super().reject(requeue=requeue)
        self._requeued = requeue

    def _announce_cancelled(self, emit_retry: bool = True) -> None:
        super()._announce_cancelled(emit_retry=emit_retry)
        self._tell(RETRY, error="cancelled by Celery")

    def _retry_worker_lost(self, exc: Exception, exc_info: Any) -> bool:
        self._retried = bool(super()._retry_worker_lost(exc, exc_info))
        if self._retried:
            self._tell(RETRY, error=_said(exc))
        return self._retried

    def _success_was_stored(self) -> Any:
        found = super()._success_was_stored()
        self._had_succeeded = bool(found)
        return found

    def _tell(self, state: str, at: float | None = None, **more: Any) -> None:
        recorder = getattr(self._app, "records", None)
        # a hard limit ends a task twice: when it is met, and when the process is found dead
        if recorder is not None and not self._told_end:
            self._told_end = state in ENDED
            recorder.told(self, state, at or time.time(), **more)


def _is_retry(exc_info: Any) -> bool:
    return isinstance(exc_info.exception, Retry)


def _said(error: BaseException) -> str:
    if isinstance(error, TimeLimitExceeded):
        return f"TimeLimitExceeded: {error.args[0]:g} s"
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # a __str__ of anybody's
        return type(error).__name__
