"""Exercise 2-1a: calls with a time, an end, a header, and no result."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from celerylab import lab
from celerylab.views.queues import Message
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Remind the readers"

TEXT = """
Complete `remind_all(readers, book, due, trace)` in `tasks_2_1a.py`. It sends `remind` once for each
reader. `due` is a datetime with a zone: the moment when the book has to be back. Each message must

- have the arguments that `remind` takes: reader, book, and 2 days;
- start two days before `due`;
- be thrown away if no worker takes it before `due`;
- carry the header `trace`, with the value given;
- leave no result.

`check` calls `remind_all` for three readers while no worker runs, and reads the messages that wait.
"""

HINTS = [
    "All five are options of `apply_async`, or its arguments.",
    "`eta` and `expires` both take a datetime. `due - timedelta(days=2)` keeps the zone.",
    "`remind.apply_async((reader, book, 2), eta=..., expires=..., headers=..., ignore_result=...)`.",
]

FEEDBACK = {
    "right": "Three messages, each to start on {eta} and to be dropped at {expires}.",
    "no_function": "`tasks_2_1a.py` has no function `remind_all`.",
    "wrong_number": "`remind_all` was called for 3 readers, and {n} messages wait.",
    "wrong_arguments": "The message for {reader} calls `remind` with {found}, and not with {expected}.",
    "no_eta": "The message for {reader} has no time: a worker would start it at once.",
    "wrong_eta": "The message for {reader} would start at {found}. Two days before {due} is {expected}.",
    "no_expires": "The message for {reader} never expires. It would be sent on a year later, too.",
    "wrong_expires": "The message for {reader} expires at {found}, and the book is due at {due}.",
    "no_header": "The message for {reader} has no header `trace`. These are its headers: {names}.",
    "wrong_header": "The header `trace` of the message for {reader} holds {found!r}, and not {expected!r}.",
    "keeps_result": "The result of the message for {reader} would be stored: `ignore_result` is {found}.",
}

MODULE = """%%writefile tasks_2_1a.py
import os
from datetime import datetime, timedelta

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_1a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-1a"


@app.task
def remind(reader, book, days):
    return f"{{reader}}: {{book}} is due in {{days}} days"


def remind_all(readers, book, due, trace):
    for reader in readers:
        {call}
"""

GOOD = {
    "eta": "due - timedelta(days=2)",
    "expires": "due",
    "headers": '{"trace": trace}',
    "ignore_result": "True",
}


def _module(**changed: str | None) -> str:
    options = {**GOOD, **changed}
    given = ", ".join(f"{name}={value}" for name, value in options.items() if value is not None)
    return MODULE.format(call=f"remind.apply_async((reader, book, 2), {given})")


SOLUTION = _module()

WRONG = {
    "wrong_arguments": MODULE.format(call="remind.s(book, 2).delay(readers)"),
    "no_eta": [_module(eta=None), MODULE.format(call="remind.delay(reader, book, 2)")],
    "wrong_eta": [
        _module(eta="due.replace(tzinfo=None) - timedelta(days=2)"),
        _module(eta=None, countdown="2 * 24 * 3600"),
        _module(eta="due"),
    ],
    "no_expires": _module(expires=None),
    "wrong_expires": [_module(expires="2 * 24 * 3600"), _module(expires="due.replace(tzinfo=None)")],
    "no_header": [_module(headers=None), _module(headers=None, trace="trace")],
    "wrong_header": _module(headers='{"trace": "trace"}'),
    "keeps_result": _module(ignore_result=None),
    "wrong_number": MODULE.format(call=f"remind.s(reader, book, 2).set(eta={GOOD['eta']})"),
}

QUEUE = "exercise-2-1a"
READERS = ["Ada", "Grace", "Mary"]
BOOK, DAYS, TRACE = "Emma", 2, "web-42"
ZONE = ZoneInfo("Asia/Tokyo")


def check(answer: str) -> Outcome:
    """Call the function, and read every message."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "remind_all"):
        return not_right("no_function")
    due = (datetime.now(ZONE) + timedelta(days=30)).replace(microsecond=0)
    lab.redis.delete(QUEUE)
    try:
        call(module.remind_all, READERS, BOOK, due, TRACE)
        n = lab.redis.llen(QUEUE)
        if n != len(READERS):
            return not_right("wrong_number", n=n)
        messages = [lab.peek(QUEUE, place) for place in range(n)]
    finally:
        lab.redis.delete(QUEUE)
    for reader, message in zip(READERS, messages, strict=True):
        wrong = _wrong(reader, message, due)
        if wrong:
            return wrong
    return right(eta=f"{due - timedelta(days=DAYS):%d %B, %H:%M}", expires=f"{due:%d %B, %H:%M}")


def _wrong(reader: str, message: Message, due: datetime) -> Outcome | None:
    headers = message.headers
    args, kwargs = message.body[:2]
    found = [*args, *(kwargs[name] for name in ("reader", "book", "days") if name in kwargs)]
    if found != [reader, BOOK, DAYS]:
        return not_right("wrong_arguments", reader=reader, found=found, expected=[reader, BOOK, DAYS])
    begin = due - timedelta(days=DAYS)
    if not headers["eta"]:
        return not_right("no_eta", reader=reader)
    if _moment(headers["eta"]) != begin:
        return not_right("wrong_eta", reader=reader, found=headers["eta"], due=due, expected=begin)
    if not headers["expires"]:
        return not_right("no_expires", reader=reader)
    if _moment(headers["expires"]) != due:
        return not_right("wrong_expires", reader=reader, found=headers["expires"], due=due)
    if "trace" not in headers:
        return not_right("no_header", reader=reader, names=", ".join(sorted(headers)))
    if headers["trace"] != TRACE:
        return not_right("wrong_header", reader=reader, found=headers["trace"], expected=TRACE)
    if not headers["ignore_result"]:
        return not_right("keeps_result", reader=reader, found=headers["ignore_result"])
    return None


def _moment(text: str) -> datetime:
    """Read a time as a worker does: one without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
