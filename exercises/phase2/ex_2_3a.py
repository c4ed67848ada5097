"""Exercise 2-3a: many small items, few messages, and both processes at work."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from celery import exceptions
from celery.result import ResultBase
from celery.signals import before_task_publish

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Cut the work"

TEXT = """
Complete two functions in `tasks_2_3a.py`. `send(numbers)` sends `count_primes` for all numbers and
returns the result of what it sent, without waiting. `collect(result)` waits for that result and
returns one list: a count for each number, in their order.

`check` starts a worker of your module with two processes and sends 600 numbers. At most 20 messages
may carry them, none more than 60 numbers, so that both processes have work to the end. `send` itself
must send them all: a message that waits for another keeps no second process busy.
"""

HINTS = [
    "How many numbers does each message need to carry, so that 20 are enough?",
    "`chunks` calls the task with each item unpacked, so an item is a tuple: `zip(numbers)` makes them.",
    "Its second argument is the length of a chunk. Its result has a list for each chunk.",
]

FEEDBACK = {
    "right": (
        "600 counts in order, in {messages} messages of at most {longest} numbers. Of these, one process ran "
        "{shares}."
    ),
    "no_function": "`tasks_2_3a.py` has no function `{name}`.",
    "no_result": "`send` returned {found}. Return the result of what you sent, without waiting for it.",
    "too_many": "`send` sent {messages} messages for 600 numbers. What does the number that you gave mean?",
    "too_long": (
        "One of the {messages} messages carried {longest} numbers: one process works on all of those, and "
        "the other can't help."
    ),
    "failed": "{n} of the tasks failed, with {error}. How does the task get its argument?",
    "not_together": (
        "`send` sent {sent} of {messages} messages. The worker sent the others, each after the one before it "
        "had ended. Who had work meanwhile?"
    ),
    "not_done": "After {seconds:g} s the result was not ready. To which queue did `send` send?",
    "nested": "`collect` returned {n} lists. Make one list of them.",
    "wrong": "`collect` returned {found}, and not 600 counts in the order of the numbers.",
}

MODULE = """%%writefile tasks_2_3a.py
import os
from itertools import chain
from math import isqrt

import celery
from celery import Celery, group

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_3a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-3a"


@app.task
def count_primes(below):
    return sum(all(n % d for d in range(2, isqrt(n) + 1)) for n in range(2, below))


def send(numbers):
    return {send}


def collect(result):
    return {collect}
"""

FLAT = "list(chain.from_iterable(result.get(timeout=30)))"


def _module(send: str, collect: str = FLAT) -> str:
    return MODULE.format(send=send, collect=collect)


SOLUTION = _module("count_primes.chunks(zip(numbers), 50).apply_async()")

WRONG = {
    "too_many": [
        _module("group(count_primes.s(n) for n in numbers)()", "result.get(timeout=30)"),
        _module("count_primes.chunks(zip(numbers), 20)()"),
    ],
    "too_long": [
        _module("count_primes.chunks(zip(numbers), 300)()"),
        _module("count_primes.map(numbers).apply_async()", "result.get(timeout=30)"),
    ],
    "failed": _module("count_primes.chunks(numbers, 50)()"),
    "no_result": [
        _module("count_primes.chunks(zip(numbers), 50).group()"),
        _module("count_primes.chunks(zip(numbers), 50)().get(timeout=30)"),
    ],
    "not_together": _module(
        "celery.chain(*(count_primes.map(numbers[n:n + 50]) for n in range(0, 600, 50)))()",
        "result.get(timeout=30)",
    ),
    "nested": _module("count_primes.chunks(zip(numbers), 50)()", "result.get(timeout=30)"),
    "wrong": _module(
        "count_primes.chunks(zip(numbers), 50)()", "[sum(counts) for counts in result.get(timeout=30)]"
    ),
    "raised": _module("count_primes.chunks(zip(numbers))()"),
}

QUEUE = "exercise-2-3a"
NUMBERS = list(range(1500, 2100))
MESSAGES, LONGEST = 20, 60
TIMEOUT = 30.0  # s


def check(answer: str) -> Outcome:
    """Send with the learner's function; look at the messages, then at who ran them and when."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    for name in ("send", "collect"):
        if not hasattr(module, name):
            return not_right("no_function", name=name)
    lab.redis.delete(QUEUE)
    lengths: list[int] = []

    def note(body: Any, **_: object) -> None:
        lengths.append(_length(body[0], body[1]))

    with lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker, lab.watch() as seen:
        before_task_publish.connect(note, weak=False)
        try:
            result = call(module.send, NUMBERS)
        finally:
            before_task_publish.disconnect(note)
        if isinstance(result, ResultBase):
            try:
                result.get(timeout=TIMEOUT, propagate=False)
            except exceptions.TimeoutError:
                return not_right("not_done", seconds=TIMEOUT)
    if not isinstance(result, ResultBase):
        return not_right("no_result", found=_kind(result))
    runs = [run for run in seen if run.worker == worker.node]
    messages, longest = len(runs), max(lengths, default=0)
    if messages > MESSAGES:
        return not_right("too_many", messages=messages)
    if longest > LONGEST:
        return not_right("too_long", messages=messages, longest=longest)
    if result.failed():
        bad = [each for each in getattr(result, "results", [result]) if each.failed()]
        return not_right("failed", n=len(bad), error=repr(bad[0].result))
    if len(lengths) < messages:
        return not_right("not_together", sent=len(lengths), messages=messages)
    found = call(module.collect, result)
    if found != [_primes_below(n) for n in NUMBERS]:
        if isinstance(found, list) and found and all(isinstance(each, list) for each in found):
            return not_right("nested", n=len(found))
        return not_right("wrong", found=_kind(found))
    shares = Counter(run.process for run in runs).values()
    return right(messages=messages, longest=longest, shares=" and the other ".join(map(str, shares)))


def _length(args: list[Any], kwargs: Mapping[str, Any]) -> int:
    """Return how many numbers a message carries, in whatever argument they are."""
    lists = [each for each in (*args, *kwargs.values()) if isinstance(each, list | tuple)]
    return max(map(len, lists), default=1)


def _kind(found: object) -> str:
    if isinstance(found, list):
        return f"a list of {len(found)}"
    return f"a {type(found).__name__}" if found is not None else "None"


def _primes_below(n: int) -> int:
    return sum(all(k % d for d in range(2, int(k**0.5) + 1)) for k in range(2, n))
