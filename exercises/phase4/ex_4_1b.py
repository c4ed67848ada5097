"""Exercise 4-1b: an alert for a stuck queue, once for each time that it is stuck."""

import json
import os
import time
from typing import Any

from celerylab import lab
from celerylab.stack.keys import PRIORITY
from celerylab.stack.webhook import Webhook
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Write an alert that fires once"

LIMIT = 60  # s
N_BUSY = 300
LOOKS = 3  # in each situation

TEXT = """
Complete `check(queue)` in `tasks_4_1b.py`. It is called again and again, as if by Beat. It calls
`send_alert("...")` when the oldest message of the queue has waited longer than {limit} seconds: once, and
not again until the queue was fine in between. Whether somebody was told is kept in Redis, for a process
may end between two calls.

The lab fills the queue `exercise-4-1b`, calls `check` {looks} times in each situation, and counts what
the webhook receives: {busy} messages that were just sent; one message of low priority that waits since ten
minutes; the same after your module was loaded anew; an empty queue; and one old message again. An alert
that says it is over is welcome if its text begins with `over`.
"""
TEXT = TEXT.format(limit=LIMIT, looks=LOOKS, busy=N_BUSY)

HINTS = [
    "`look(app, [queue])[0]` has `waiting` and `oldest`; `oldest` may be `None`.",
    "`redis.set(key, 1, nx=True)` returns something true to the first who sets the key, and None to others.",
    "Once the queue is fine again, `redis.delete(key)`.",
]

FEEDBACK = {
    "right": "Three situations were fine, two were not, and the webhook received {n} alerts.",
    "busy": (
        "The queue held {n} messages, the oldest sent just now, and the webhook received {found} alerts. "
        "Would anybody have had to do something?"
    ),
    "silent": (
        "One message had waited for ten minutes, with low priority, and the webhook received nothing. "
        "Where did you look, and for what?"
    ),
    "repeated": (
        "The same old message was seen in {looks} calls, and the webhook received {found} alerts. "
        "What do you know at the second call of the first?"
    ),
    "restarted": (
        "The alert was sent once. Then the module was loaded anew, as in a process that starts again, and "
        "the alert came again. Where is it written that somebody was told?"
    ),
    "empty": "The queue was empty, and the webhook received: {found}. What was there to tell?",
    "second": (
        "The first stuck message got its alert. The queue was empty for a while, and then stuck again: the "
        "webhook received {found} new alerts. What should have happened while the queue was fine?"
    ),
}

MODULE = """%%writefile tasks_4_1b.py
import os

from celery import Celery
from labtasks.alerts import send_alert
from labtasks.queue_health import look
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_4_1b", broker=url)
redis = Redis.from_url(url)
KEY = "exercise-4-1b told"


CHECK
"""

RIGHT = """def check(queue):
    found = look(app, [queue])[0]
    if (found.oldest or 0) <= 60:
        redis.delete(KEY)
    elif redis.set(KEY, 1, nx=True):
        send_alert(f"{queue}: the oldest message has waited for {found.oldest:.0f} s")"""

OVER = """def check(queue):
    found = look(app, [queue])[0]
    if (found.oldest or 0) <= 60:
        if redis.delete(KEY):
            send_alert(f"over: {queue}")
    elif redis.set(KEY, 1, nx=True):
        send_alert(f"{queue}: the oldest message has waited for {found.oldest:.0f} s")"""

IN_MEMORY = """told = False


def check(queue):
    global told
    late = (look(app, [queue])[0].oldest or 0) > 60
    if late and not told:
        send_alert(f"{queue} is stuck")
    told = late"""

FINE = """def check(queue):
    found = look(app, [queue])[0]
    if not found.waiting:
        redis.delete(KEY)
        send_alert(f"{queue} is fine")
    elif (found.oldest or 0) > 60 and redis.set(KEY, 1, nx=True):
        send_alert(f"{queue} is stuck")"""

FIRST_LIST = """def check(queue):
    import json
    import time

    raw = redis.lindex(queue, -1)
    late = raw and time.time() - json.loads(raw)["headers"]["sent_at"] > 60
    if not late:
        redis.delete(KEY)
    elif redis.set(KEY, 1, nx=True):
        send_alert(f"{queue} is stuck")"""


def _module(check: str) -> str:
    return MODULE.replace("CHECK", check)


SOLUTION = _module(OVER)

WRONG = {
    "busy": _module(RIGHT.replace("(found.oldest or 0) <= 60", "found.waiting <= 100")),
    "silent": _module(FIRST_LIST),
    "repeated": _module(RIGHT.replace("elif redis.set(KEY, 1, nx=True)", "else")),
    "restarted": _module(IN_MEMORY),
    "empty": _module(FINE),
    "second": _module(RIGHT.replace("redis.delete(KEY)", "return")),
}

QUEUE = "exercise-4-1b"
KEYS = (QUEUE, *(f"{QUEUE}{PRIORITY}{step}" for step in (3, 6, 9)))
ALERT_URL = "CELERYLAB_ALERT_URL"
OLD = 600.0  # s


def check(answer: str) -> Outcome:
    """Call the learner's function in five situations, and count the alerts that arrive."""
    if unfinished(answer):
        return not_attempted()
    hook, before = lab.webhook(), os.environ.get(ALERT_URL)
    os.environ[ALERT_URL] = hook.url
    try:
        return _check(answer, hook)
    finally:
        _set(ALERT_URL, before)
        hook.stop()
        lab.redis.delete(*KEYS)


def _check(answer: str, hook: Webhook) -> Outcome:
    lab.redis.delete(*KEYS, *lab.redis.scan_iter(f"{QUEUE}*"))
    _fill(N_BUSY, 0.0)
    if found := _alerts(answer, hook):
        return not_right("busy", n=N_BUSY, found=len(found))
    _fill(1, OLD, KEYS[-1])
    found = _alerts(answer, hook)
    if not found:
        return not_right("silent")
    if len(found) > 1:
        return not_right("repeated", looks=LOOKS, found=len(found))
    if _alerts(answer, hook):
        return not_right("restarted")
    _fill(0, 0.0)
    over = _alerts(answer, hook)
    if any(not text.startswith("over") for text in over) or len(over) > 1:
        return not_right("empty", found="; ".join(over))
    _fill(1, OLD)
    if len(found := _alerts(answer, hook)) != 1:
        return not_right("second", found=len(found))
    return right(n=2)


def _alerts(answer: str, hook: Webhook) -> list[str]:
    """Load the module anew, call its function some times, and return what arrived."""
    hook.clear()
    module = fresh(answer)
    for _ in range(LOOKS):
        call(module.check, QUEUE)
    # an alert is posted and answered before send_alert returns
    return [str(one.body.get("text")) for one in hook.requests]


def _fill(n: int, age: float, key: str = QUEUE) -> None:
    """Put ``n`` messages of that age, in seconds, in the place of those that are there."""
    lab.redis.delete(*KEYS)
    lab.client.send_task("report", queue=QUEUE)
    raw: Any = lab.redis.rpop(QUEUE)
    # as it would lie there, had a stamped app sent it, and long ago
    message = json.loads(raw)
    message["headers"]["sent_at"] = time.time() - age
    if n:
        lab.redis.rpush(key, *[json.dumps(message)] * n)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
