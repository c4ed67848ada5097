"""Exercise 4-6c: the whole service, under every fault."""

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase4.photos_4_6 import (
    DEFAULT_QUEUE,
    ENDLESS,
    LATE,
    RETRIES,
    ROW,
    SWALLOW,
    WAIT,
    module,
)

TITLE = "Pass the fault test"

TEXT = """
Replace every `...` in `photos_4_6c.py`, so that the service keeps its promises:

- `SAFE`: no task is lost with its worker, a bad picture is tried 4 times at most, and what fails for a moment
  is tried again.
- `receive`: no process waits for another, urgent photos stay on `photos.urgent`, a bad picture fails.
- `publish`: each photo has one row in `album`, however often the task runs. The table `published` has one
  column, `photo`, which is unique.

What fails for good is kept already. `check` runs `lab.fault_test("photos_4_6c")`: one task is held, photos
flood the bulk queue before an urgent one comes, workers are killed around commits and in the middle of their
work, the broker is restarted, and dead letters are replayed. Every line of its report must be `ok`. The test
stops at the first that is not.
"""

HINTS = [
    'Run `lab.fault_test("photos_4_6c").run()` yourself: its report names the lesson to look at.',
    "`SAFE`: 3-5 for the moment at which a message is forgotten, 3-3 for the number of tries.",
    "`receive`: your answers to 4-6a and 4-6b. `publish`: 3-5, the last step.",
]

FEEDBACK = {
    "right": "{photos} photos went in under {faults} faults, and the report has no line that failed.",
    "in": "Not every photo was taken: {seen}. Look at {lesson}",
    "lost": "Photos were lost: {seen}. Look at {lesson}",
    "double": "Photos were published twice: {seen}. Look at {lesson}",
    "waiting": "A task waits for another: {seen}. Look at {lesson}",
    "urgent": "Urgent photos stood behind the bulk: {seen}. Look at {lesson}",
    "hidden": "A failure was hidden: {seen}. Look at {lesson}",
    "tries": "A bad picture was tried too often: {seen}. Look at {lesson}",
    "letters": "Dead letters are not accounted for: {seen}. Look at {lesson}",
    "not_judged": "Nothing failed, and this could not be judged: {lines}. Run the check again.",
}

C = "photos_4_6c"
SOLUTION = module(C)
WRONG = {
    "lost": module(C, options=RETRIES),
    "double": module(C, publish=ROW),
    "waiting": module(C, send=WAIT),
    "urgent": module(C, send=DEFAULT_QUEUE),
    "hidden": module(C, look=SWALLOW),
    "tries": module(C, options=LATE + ENDLESS),
}


def check(answer: str) -> Outcome:
    """Run the fault test, and tell its first failure."""
    if unfinished(answer):
        return not_attempted()
    report = lab.fault_test(answer).run()
    if report.failed:
        line = report[report.failed[0]]
        return not_right(line.key, seen="; ".join(line.seen), lesson=report.lesson(line.key))
    if not report.passed:
        return not_right("not_judged", lines=", ".join(line.name for line in report.lines if not line.ok))
    return right(photos=report.photos, faults=len(report.faults))
