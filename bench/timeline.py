"""How long the timeline of ten thousand tasks takes."""

import random
import time

from bench.row import Row
from celerylab.views.runs import Run
from celerylab.views.timeline import timeline

TASKS = 10_000
PROCESSES = 4
ALLOWED = 2.0  # s


def measure() -> Row:
    """Draw tasks of three kinds, in four processes of two workers, each with its wait."""
    timeline([])  # matplotlib's import is not the timeline's
    chance = random.Random(1)
    free = [0.0] * PROCESSES
    runs = []
    for number in range(TASKS):
        process = free.index(min(free))
        begin = free[process]
        free[process] = end = begin + chance.uniform(0.001, 0.02)
        runs.append(
            Run(
                str(number),
                f"shop.{('pack', 'charge', 'mail')[number % 3]}",
                f"({number},)",
                f"worker{process % 2}@lab",
                process,
                sent=number * 0.001,
                received=number * 0.001,
                started=begin,
                finished=end,
                state="SUCCESS",
            )
        )
    begin = time.perf_counter()
    timeline(runs)
    took = time.perf_counter() - begin
    return Row(f"timeline of {TASKS} tasks", took, ALLOWED, "s", limit=1.0)
