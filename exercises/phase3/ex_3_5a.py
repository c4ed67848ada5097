"""Exercise 3-5a: say which calls are equal."""

import contextlib
from typing import Any

from celery import exceptions
from celery.result import AsyncResult

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Say which calls are equal"

TEXT = """
The task `invoice` in `tasks_3_5a.py` writes an invoice. A customer gets one for each month, however
often the task is sent, however its arguments are spelt, and whatever the note says. Replace the `...`.
`idempotent_task?` in a cell shows its options.

`check` starts a worker and sends {n} calls, one after the other, for three customers: `aiko`, `ken` and
`ken1`. It looks at what each call returned, and at which invoices were written.
"""

HINTS = [
    "By default all arguments tell calls apart. Which of them should not?",
    "The option `key` takes a function. It gets the task's arguments by name, without `self`, and returns "
    "what tells calls apart.",
    "A key may be a list or a tuple: `key=lambda customer, month, note: ...`",
]

FEEDBACK = {
    "right": "{n} calls, {written} invoices: one for each customer and month. Every call has a number.",
    "twice": (
        "{n} calls were sent, and these invoices were written: {found}. One of them was written twice. "
        "What is different in the two calls, {first} and {second}?"
    ),
    "missing": (
        "{n} calls were sent, and these invoices were written: {found}. There is none for {missing}, whose "
        "call got the number of another invoice. Which two calls have equal keys?"
    ),
    "failed": "The call {call} failed: {error}. With which arguments is your function called?",
}

MODULE = """%%writefile tasks_3_5a.py
import os

from celery import Celery
from redis import Redis

from labtasks.idempotency import idempotent_task

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_5a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-5a"
redis = Redis.from_url(url)


{decorators}
def invoice(self, customer, month, note=""):
    return redis.rpush("3-5a invoices", f"{{customer}} {{month}}")
"""


def _module(options: str) -> str:
    return MODULE.format(decorators=f"@app.task(bind=True)\n@idempotent_task({options})")


SOLUTION = _module("key=lambda customer, month, note: (customer, month)")

WRONG = {
    "twice": [
        _module(""),
        _module("expires=3600"),
        _module("key=lambda customer, month, note: (customer, month, note)"),
    ],
    "missing": [
        _module("key=lambda customer, **_: customer"),
        _module('key=lambda customer, month, **_: f"{customer}{month}"'),
    ],
    "failed": [
        _module("key=lambda self, customer, month, note: (customer, month)"),
        _module("key=lambda customer, month: (customer, month)"),
        _module("key=lambda customer, month, **_: {customer, month}"),
    ],
    "raised": MODULE.format(
        decorators="@idempotent_task(key=lambda customer, month, note: month)\n@app.task(bind=True)"
    ),
}

QUEUE, INVOICES = "exercise-3-5a", "3-5a invoices"
CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [  # by position, by name
    (("aiko", 5), {}),
    (("aiko",), {"month": 5}),
    ((), {"month": 5, "customer": "aiko", "note": "second copy, please"}),
    (("aiko", 6), {}),
    (("ken", 12), {}),
    (("ken1", 2), {}),
    (("ken", 12, "urgent"), {}),
]
EXPECTED = ["aiko 5", "aiko 6", "ken 12", "ken1 2"]
TIMEOUT = 20.0  # s
TEXT = TEXT.format(n=len(CALLS))


def check(answer: str) -> Outcome:
    """Send calls that are equal, and calls that are not, and read which invoices were written."""
    if unfinished(answer):
        return not_attempted()
    _clear()
    try:
        with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
            for args, kwargs in CALLS:
                result = lab.client.send_task(f"{answer}.invoice", args, kwargs, queue=QUEUE)
                if not _succeeded(result):
                    return not_right("failed", call=_spelt(args, kwargs), error=repr(result.result))
            worker.kill()
        lines: Any = lab.redis.lrange(INVOICES, 0, -1)
        found = [str(line, "utf-8") for line in lines]
    finally:
        _clear()
    seen = {"n": len(CALLS), "found": ", ".join(found)}
    for invoice in EXPECTED:
        if found.count(invoice) > 1:
            first, second = _differing(invoice)
            return not_right("twice", first=first, second=second, **seen)
        if invoice not in found:
            return not_right("missing", missing=invoice, **seen)
    return right(n=len(CALLS), written=len(found))


def _succeeded(result: AsyncResult) -> bool:
    with contextlib.suppress(exceptions.TimeoutError):
        result.get(timeout=TIMEOUT, propagate=False)
    return bool(result.successful())


def _differing(invoice: str) -> tuple[str, str]:
    """Return the first and the last call for an invoice, as one would type them."""
    customer, month = invoice.split()
    wanted = (customer, int(month))
    calls = [_spelt(args, kwargs) for args, kwargs in CALLS if _bound(*args, **kwargs) == wanted]
    return calls[0], calls[-1]


def _bound(customer: str, month: int, note: str = "") -> tuple[str, int]:  # noqa: ARG001  # as of the task
    return customer, month


def _spelt(args: tuple[object, ...], kwargs: dict[str, Any]) -> str:
    given = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"`invoice({', '.join(given)})`"


def _clear() -> None:
    lab.redis.delete(QUEUE, INVOICES, *lab.redis.scan_iter("idempotent:tasks_3_5a.*"))
