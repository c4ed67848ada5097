"""Temporary files of tasks, gone with the task however it ends."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Task

from labtasks.settings import settings

FOLDER = "scratch"  # below the work folder


def scratch_path(task_id: str) -> Path:
    """Return where the temporary files of a task lie: the same in every process of this machine.

    Raises
    ------
    ValueError
        The id is none that can name a folder.
    """
    if task_id in ("", ".", "..") or Path(task_id).name != task_id:
        raise ValueError(f"task id {task_id!r} cannot name a folder")
    return settings().work_folder / FOLDER / task_id


@contextmanager
def scratch(task_id: str) -> Iterator[Path]:
    """Give an empty folder for a task's temporary files, removed when the block ends.

    What an attempt before left there, one that was killed, is removed first.
    """
    folder = scratch_path(task_id)
    remove_scratch(task_id)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove_scratch(task_id)


def remove_scratch(task_id: str) -> None:
    """Remove the temporary files of a task; nothing happens if there are none."""
    shutil.rmtree(scratch_path(task_id), ignore_errors=True)


class ScratchTask(Task):
    """A task whose temporary files go even if its process was killed at the hard time limit.

    A ``finally`` has 0.1 s then, between SIGTERM and SIGKILL, and none in a call that no signal
    interrupts; but Celery calls ``on_failure`` in the worker's main process. What neither
    reaches, such as a process that the system kills, ``sweep`` removes later.
    """

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002  # Celery's signature
        """Remove the temporary files."""
        remove_scratch(task_id)


def sweep(older_than: float) -> list[str]:
    """Remove what tasks have left behind; return their ids.

    Parameters
    ----------
    older_than
        Seconds since the folder was made; longer than any task may run.
    """
    folder = settings().work_folder / FOLDER
    limit = time.time() - older_than
    left = [each for each in folder.glob("*") if each.stat().st_mtime < limit]
    for each in left:
        remove_scratch(each.name)
    return sorted(each.name for each in left)
