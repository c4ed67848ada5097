"""Loaded into every worker of the lab: says in which process a task runs, and since when.

Celery knows both (the pool reports them when it accepts a task), but leaves the process id out
of the ``task-started`` event, and stamps it with the time at which the main process heard of
it. A timeline has to draw them.

Source: "Custom task requests" in Celery's task guide, for ``Task.Request``.
"""

from typing import Any

from celery.app.task import Task
from celery.worker.request import Request


class StartedRequest(Request):  # type: ignore[misc]  # Celery has no types
    """A task request whose ``task-started`` event carries ``process``, a process id.

    Its ``timestamp`` is the time at which that process began.
    """

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002  # Celery's name
        """Send a task event; see ``celery.worker.request.Request.send_event``."""
        if type == "task-started":
            fields |= {"process": self.worker_pid, "timestamp": self.time_start}
        super().send_event(type, **fields)


Task.Request = f"{__name__}:{StartedRequest.__qualname__}"
