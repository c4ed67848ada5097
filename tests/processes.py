"""Looks at processes, for tests of what outlives what."""

import time
from collections.abc import Callable

import psutil

PAUSE = 0.05


def marked(mark: str) -> list[psutil.Process]:
    """Return the running processes with a text in their environment or their working directory.

    Valkey overwrites its environment with its title; it runs in a folder below ``TMPDIR``.
    Each has its name in ``info``, which stays when the process has gone.
    """
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            places = [process.cwd(), *process.environ().values()]
            if any(mark in place for place in places) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Say whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
