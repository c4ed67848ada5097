"""Loaded into every worker of the lab: says in which process a task runs.

Celery knows (the pool reports the process id when it accepts a task) but leaves it out of
the ``task-started`` event, and a timeline has to draw it.

Source: "Custom task requests" in Celery's task guide, for ``Task.Request``.
"""

from typing import Any

from celery.app.task import Task
from celery.worker.request import Request


class StartedRequest(Request):  # type: ignore[misc]  # Celery has no types
    """A task request whose ``task-started`` event carries ``process``, a process id."""

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002  # Celery's name
        """Send a task event; see ``celery.worker.request.Request.send_event``."""
        if type == "task-started":
            fields["process"] = self.worker_pid
        super().send_event(type, **fields)


Task.Request = f"{__name__}:{StartedRequest.__qualname__}"
