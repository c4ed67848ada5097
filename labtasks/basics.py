"""The first tasks: sums, a long one that tells how far it is, a list to process."""

import time
from collections.abc import Sequence
from typing import Any, TypedDict

from celery import Task

from labtasks.app import app

STEP = 0.1  # s between two progress reports of long_task


class Processed(TypedDict):
    """What ``process_data`` returns."""

    count: int
    total: float
    mean: float
    smallest: float
    largest: float


@app.task
def add(x: float, y: float) -> float:
    """Return ``x + y``."""
    return x + y


@app.task
def multiply(x: float, y: float) -> float:
    """Return ``x * y``."""
    return x * y


@app.task
def sum_results(values: Sequence[float]) -> float:
    """Return the sum of what the tasks of a group returned, as the body of a chord."""
    return sum(values)


@app.task(bind=True)
def long_task(self: "Task[Any, Any]", seconds: float) -> str:
    """Take so many seconds, and report progress all the while.

    Parameters
    ----------
    seconds
        0 or more. The state is ``PROGRESS`` meanwhile, with ``current`` and ``total``
        seconds as its information.

    Raises
    ------
    ValueError
        ``seconds`` is negative.
    """
    if seconds < 0:
        raise ValueError(f"long_task takes 0 seconds or more, not {seconds}")
    started = time.monotonic()
    while (spent := time.monotonic() - started) < seconds:
        if not self.request.called_directly:  # a plain function call has no state to keep
            self.update_state(state="PROGRESS", meta={"current": round(spent, 1), "total": seconds})
        time.sleep(min(STEP, seconds - spent))
    return f"done after {seconds} s"


@app.task
def process_data(data: Sequence[float]) -> Processed:
    """Return count, total, mean and extremes of a list of numbers.

    Raises
    ------
    ValueError
        The list is empty.
    """
    if not data:
        raise ValueError("process_data needs at least one number, the list is empty")
    total = sum(data)
    return Processed(
        count=len(data), total=total, mean=total / len(data), smallest=min(data), largest=max(data)
    )
