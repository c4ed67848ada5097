"""How far a task is, told while it runs."""

from typing import Any

from celery import Task


def tell(task: "Task[Any, Any]", **information: Any) -> None:
    """Set a running task's state to ``PROGRESS``, with this information."""
    if not task.request.called_directly:  # a plain function call has no state to keep
        task.update_state(state="PROGRESS", meta=information)
