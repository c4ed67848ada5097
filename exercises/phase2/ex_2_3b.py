"""Exercise 2-3b: what succeeded in a group, and what failed, by what it was called with."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Keep what succeeded"

TEXT = """
`amount` reads a number from a line of text, and fails for a line that holds none. Complete
`read_all(lines)` in `tasks_2_3b.py`. It sends a task for each line, all of them before it waits for
any, and returns two dictionaries by line: the numbers, and the texts of the errors, `str(error)`.

`check` hands over ten lines, some of them bad, and then starts a worker with two processes. Each line must
run once, and stand in one of the two dictionaries.
"""

HINTS = [
    "Which option of `get` gives back exceptions in the place of values?",
    "Values and exceptions come in the order of the signatures: `zip` puts each beside its line.",
    "`isinstance(value, Exception)` tells which of the two dictionaries a line belongs to.",
]

FEEDBACK = {
    "right": "{good} numbers and {bad} errors, each beside its line, each run once.",
    "no_function": "`tasks_2_3b.py` has no function `read_all`.",
    "no_dictionaries": "`read_all` returned {found!r}, and not two dictionaries.",
    "missing": ("In neither dictionary: {lines}. Each of them was sent. With what did its value get lost?"),
    "exception_as_number": "Among the numbers is the exception of {line!r}: {found!r}.",
    "wrong_number": "For {line!r} there is {found!r}. Which line is each result of?",
    "wrong_error": "The error of {line!r} is {found!r}, and not the text {expected!r}.",
    "one_by_one": (
        "One message waited before the worker started, and the next was sent when its task had run. The "
        "second process had nothing to do."
    ),
    "not_once": "`amount` ran {n} times for {line!r}, and once is asked for.",
}

MODULE = """%%writefile tasks_2_3b.py
import os

from celery import Celery, group
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_3b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-3b"
redis = Redis.from_url(url)


@app.task
def amount(line):
    redis.incr(f"2-3b {{line}}")
    return float(line)


def read_all(lines):
    {body}
"""


def _module(body: str) -> str:
    return MODULE.format(body=body.strip())


SENT = "result = group(amount.s(line) for line in lines)()\n    "
ALL = f"{SENT}found = dict(zip(lines, result.get(timeout=20, propagate=False)))\n    "
NUMBERS = "{line: value for line, value in found.items() if not isinstance(value, Exception)}"
ERRORS = "{line: str(value) for line, value in found.items() if isinstance(value, Exception)}"

SOLUTION = _module(f"{ALL}return {NUMBERS}, {ERRORS}")

WRONG = {
    "raised": _module(f"{SENT}return dict(zip(lines, result.get(timeout=20))), {{}}"),
    "no_dictionaries": _module(f"{SENT}return result.get(timeout=20, propagate=False)"),
    "exception_as_number": _module(f"{ALL}return found, {ERRORS}"),
    "wrong_error": _module(f"{ALL}return {NUMBERS}, {ERRORS.replace('str(value)', 'value')}"),
    "wrong_number": _module(
        f"{ALL}good = [each.get() for each in result if each.successful()]\n"
        f"    return dict(zip(lines, good)), {ERRORS}"
    ),
    "missing": [
        _module("""
    result = amount.chunks(zip(lines), 2)()
    numbers, errors = {}, {}
    for n, chunk in enumerate(result.get(timeout=20, propagate=False)):
        part = lines[2 * n:2 * n + 2]
        if isinstance(chunk, Exception):
            errors[part[0]] = str(chunk)
        else:
            numbers.update(zip(part, chunk))
    return numbers, errors
"""),
        _module(f"{ALL}return {NUMBERS}, {{}}"),
    ],
    "one_by_one": _module("""
    numbers, errors = {}, {}
    for line in lines:
        try:
            numbers[line] = amount.delay(line).get(timeout=20)
        except ValueError as error:
            errors[line] = str(error)
    return numbers, errors
"""),
    "not_once": _module(f"""
    {ALL}errors = {{}}
    for line, value in found.items():
        if isinstance(value, Exception):
            try:
                amount(line)
            except ValueError as error:
                errors[line] = str(error)
    return {NUMBERS}, errors
"""),
}

QUEUE = "exercise-2-3b"
LINES = ["12.50", "twelve", "0.99", "7", "", "1,000", "3e2", "-4", "80 euros", "0.5"]
SOON = 3.0  # s for ten messages
BAD = ["twelve", "", "1,000", "80 euros"]


def check(answer: str) -> Outcome:
    """Have ten lines read; look at both dictionaries, then at what waited and how often each ran."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "read_all"):
        return not_right("no_function")
    keys = [f"2-3b {line}" for line in LINES]
    lab.redis.delete(QUEUE, *keys)
    with ThreadPoolExecutor(1) as thread:
        # in a thread: no worker runs yet, so what waits is what was sent before waiting for any
        reading = thread.submit(call, module.read_all, list(LINES))
        with contextlib.suppress(Timeout):
            wait_for(len(LINES), "messages", lambda: lab.redis.lrange(QUEUE, 0, -1), SOON)
        waiting = lab.redis.llen(QUEUE)
        with lab.worker(answer, concurrency=2, queues=[QUEUE]):
            found = reading.result()
    ran = [int(times or 0) for times in lab.redis.mget(keys)]
    lab.redis.delete(*keys)
    if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(p, dict) for p in found)):
        return not_right("no_dictionaries", found=found)
    numbers, errors = found
    problem = _problem(numbers, errors)
    if problem:
        return problem
    if any(times != 1 for times in ran):
        line, times = next(pair for pair in zip(LINES, ran, strict=True) if pair[1] != 1)
        return not_right("not_once", n=times, line=line)
    if waiting == 1:
        return not_right("one_by_one")
    return right(good=len(numbers), bad=len(errors))


def _problem(numbers: dict[str, object], errors: dict[str, object]) -> Outcome | None:
    for line in LINES:
        value = numbers.get(line)
        if isinstance(value, Exception):
            return not_right("exception_as_number", line=line, found=value)
        if line in numbers and (line in BAD or value != float(line)):
            return not_right("wrong_number", line=line, found=value)
    missing = [line for line in LINES if line not in numbers and line not in errors]
    if missing:
        return not_right("missing", lines=", ".join(map(repr, missing)))
    for line in BAD:
        expected = f"could not convert string to float: {line!r}"
        if errors.get(line) != expected:
            return not_right("wrong_error", line=line, found=errors.get(line), expected=expected)
    return None
