"""Waiting for something to arrive, with a deadline."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from celerylab.errors import Timeout
from celerylab.stack import texts

PAUSE = 0.01

T = TypeVar("T")


def wait_for(n: int, what: str, read: Callable[[], Sequence[T]], timeout: float) -> list[T]:
    """Return what ``read`` gives once it holds ``n`` items.

    Raises
    ------
    Timeout
        After ``timeout`` seconds; says how many there were.
    """
    deadline = time.monotonic() + timeout
    while len(found := list(read())) < n:
        if time.monotonic() > deadline:
            raise Timeout(
                texts.NOT_IN_TIME.format(seconds=f"{timeout:g}", wanted=f"{n} {what}", found=len(found))
            )
        time.sleep(PAUSE)
    return found
