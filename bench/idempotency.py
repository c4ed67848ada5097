"""What a task costs that runs once for all equal calls, against the same task bare."""

import statistics
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from bench.row import Row
from celerylab import Lab
from celerylab.stack.worker import Worker

TASKS = 500
PAIRS = 9
QUEUE = "bench-guarded"
DEADLINE = 60.0  # s
LOOK = 0.005  # s between two looks at the broker

numbers = count()  # no two calls are equal, so each one runs


def measure() -> Row:
    """Let one worker run both tasks in turn, as many of each."""
    bare, guarded = [], []
    lab = Lab()
    lab.start()
    try:
        worker = lab.worker("bench.guarded", concurrency=2, queues=[QUEUE])
        for name in ("bare", "guarded"):  # once for nothing: processes connect, scripts are loaded
            per_task(lab, worker, name)
        for _ in range(PAIRS):
            bare.append(per_task(lab, worker, "bare"))
            guarded.append(per_task(lab, worker, "guarded"))
    finally:
        lab.stop()
    ratios = [ours / theirs for ours, theirs in zip(guarded, bare, strict=True)]
    spread = (
        f"bare {min(bare):.2f} to {max(bare):.2f}, idempotent {min(guarded):.2f} to {max(guarded):.2f} ms"
    )
    return Row(
        f"an idempotent task against the same task bare, {TASKS} each, medians of {PAIRS} pairs",
        statistics.median(guarded),
        statistics.median(bare),
        "ms",
        limit=1.25,
        notes=(spread, f"ratio of each pair: {min(ratios):.2f} to {max(ratios):.2f}"),
    )


def per_task(lab: Lab, worker: Worker, name: str) -> float:
    """Return the milliseconds a task, from a full queue to the last result; sending is not counted."""
    control = lab.client.control
    control.cancel_consumer(QUEUE, destination=[worker.node], reply=True)
    ids = [send(lab, name, next(numbers)) for _ in range(TASKS)]
    keys = [f"celery-task-meta-{each}" for each in ids]
    client = lab.redis
    began = time.perf_counter()
    control.add_consumer(QUEUE, destination=[worker.node])
    until(lambda: client.exists(*keys) == TASKS)
    spent = time.perf_counter() - began
    client.delete(*keys)
    return spent / TASKS * 1000


def send(lab: Lab, name: str, number: int) -> Any:
    """Send one call, and return its id."""
    return lab.client.send_task(f"bench.guarded.{name}", (number, number), queue=QUEUE).id


def until(true: Callable[[], bool]) -> None:
    """Return once something is true; a worker that has stopped ends the wait."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done in {DEADLINE:g} s")
        time.sleep(LOOK)
