"""Exercise 1-2b: send all tasks before waiting for the first."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.results import done_at

TITLE = "Send all, then wait"

TEXT = """
Write `run_all(durations)`. For each number in `durations` it sends `long_task` of `labtasks`, which
takes so many seconds, and it returns the list of what the tasks returned, in the order of
`durations`.

The bundled worker has two processes. `check` looks when each task was sent and when it was done: one
process must not wait while the other works.
"""

HINTS = [
    "How many tasks has your function sent by the time it first calls `get`?",
    "Two loops: the first collects what `delay` returns, the second calls `get` on each.",
]

FEEDBACK = {
    "right": "The tasks were sent before the first was waited for, and the two processes shared them.",
    "nothing_sent": "No task was sent while `run_all` ran. A task that is called like a function runs here.",
    "wrong_tasks": "The workers got {found}; it should have been long_task with each of {expected}.",
    "wrong_values": "It returned {found}. The tasks returned {expected}, in this order.",
    "one_by_one": (
        "All {n} tasks ran, but each was sent when the one before was done: one process worked and the other "
        "looked on. When is the second task to be sent?"
    ),
}

SOLUTION = """
from labtasks.basics import long_task


def run_all(durations):
    sent = [long_task.delay(duration) for duration in durations]
    return [result.get(timeout=30) for result in sent]
"""

WRONG = {
    "one_by_one": """
from labtasks.basics import long_task


def run_all(durations):
    return [long_task.delay(duration).get(timeout=30) for duration in durations]
""",
    "nothing_sent": """
from labtasks.basics import long_task


def run_all(durations):
    return [long_task(duration) for duration in durations]
""",
    "wrong_values": """
from labtasks.basics import long_task


def run_all(durations):
    return [long_task.delay(duration) for duration in durations]
""",
    "wrong_tasks": """
from labtasks.basics import long_task


def run_all(durations):
    long_task.delay(sum(durations))
    return [f"done after {duration} s" for duration in durations]
""",
}

DURATIONS = (0.4, 0.3, 0.4, 0.3)  # s


def check(answer: Callable[[Sequence[float]], object]) -> Outcome:
    """Run the learner's function and look at what the worker did meanwhile."""
    if unfinished(answer):
        return not_attempted()
    with lab.watch() as seen:
        found = call(answer, list(DURATIONS))
    runs = sorted((run for run in seen if run.sent and run.finished), key=lambda run: run.sent or 0)
    if not runs:
        return not_right("nothing_sent")
    wanted = sorted(f"({duration},)" for duration in DURATIONS)
    if sorted(run.args for run in runs) != wanted:
        return not_right("wrong_tasks", found=[run.args for run in runs], expected=list(DURATIONS))
    expected = [f"done after {duration} s" for duration in DURATIONS]
    if found != expected:
        return not_right("wrong_values", found=found, expected=expected)
    shared = any((after.sent or 0) < done_at(before) for before, after in pairwise(runs))
    return right() if shared else not_right("one_by_one", n=len(runs))
