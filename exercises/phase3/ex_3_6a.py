"""Exercise 3-6a: hooks of one's own that keep five failures of different kinds."""

from datetime import date
from typing import Any

from kombu.utils.json import loads

from celerylab import lab
from celerylab.stack.waiting import wait_for
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Catch five that fail"

TEXT = """
In `tasks_3_6a.py`, replace the `...` by handlers that keep what has failed for good, one entry for
each task. Do it without `labtasks.dead_letters`.

- Entries lie in the Redis hash `letters-3-6a`. The field is the task's id. The value is an object with
  `name`, `args` and `kwargs`, in kombu's JSON.
- With each new entry, and only then, the task's id is pushed to the end of the list `alerts-3-6a`.

`check` starts a worker of your module. Five tasks fail: one raises, with a date among its arguments;
one meets its hard time limit; one loses its process; one has expired; and one has a name that the
worker does not know. Then it reads the hash with `kombu.utils.json`, compares names and arguments with
those that were sent, and counts the alerts.
"""

HINTS = [
    "Three signals tell of these five: `task_failure`, `task_revoked`, `task_unknown`. The lesson's table "
    "says which tells of what.",
    "`task_revoked` gives a `request`, with `id`, `args` and `kwargs`; its sender is the task. "
    "`task_unknown` gives a `message`: its `payload` is a list of args, kwargs and what follows.",
    "`redis.hsetnx` writes a field only if it is not there, and says whether it did. "
    "`kombu.utils.json.dumps` takes dates.",
]

FEEDBACK = {
    "right": "Five failures, five entries, and the arguments came back equal: {names}.",
    "not_a_hash": "The key `letters-3-6a` should be a hash. Redis says it is a {kind}.",
    "missing": (
        "After all five had failed, the hash held {found} of 5. Missing: {missing}. "
        "The worker's log says: {log}"
    ),
    "unreadable": "The entry of {name} can't be read as an object in kombu's JSON. It begins: {found}",
    "wrong_entry": (
        "The entry of {name} should hold {expected}, with these values and types. It holds {found}."
    ),
    "wrong_alerts": (
        "All five entries are right. The list of alerts should hold each id once. It holds: {found}."
    ),
}

MODULE = """%%writefile tasks_3_6a.py
import os
import signal
import time

from celery import Celery, signals
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_6a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-6a"
redis = Redis.from_url(url)


@app.task
def charge(customer, due):
    raise ConnectionError("the bank does not answer")


@app.task(time_limit=0.5)
def stuck(customer):
    time.sleep(60)


@app.task
def crash(customer):
    os.kill(os.getpid(), signal.SIGKILL)


HANDLERS
"""

KEEP = """from kombu.utils import json


def keep(task_id, name, args, kwargs):
    entry = {"name": name, "args": args, "kwargs": kwargs}
    if redis.hsetnx("letters-3-6a", task_id, json.dumps(entry)):
        redis.rpush("alerts-3-6a", task_id)
"""

FAILED = """

@signals.task_failure.connect
def failed(sender, task_id, args, kwargs, **_):
    keep(task_id, sender.name, args, kwargs)
"""

REVOKED = """

@signals.task_revoked.connect
def revoked(sender, request, **_):
    keep(request.id, sender.name, request.args, request.kwargs)
"""

UNKNOWN = """

@signals.task_unknown.connect
def unknown(message, name, id, **_):
    args, kwargs, _ = message.payload
    keep(id, name, args, kwargs)
"""

ALL = KEEP + FAILED + REVOKED + UNKNOWN


def _module(handlers: str) -> str:
    return MODULE.replace("HANDLERS", handlers)


SOLUTION = _module(ALL)

WRONG = {
    "missing": [
        _module(KEEP + FAILED),
        _module(ALL.replace("from kombu.utils import json", "import json")),
    ],
    "wrong_entry": [
        _module(
            ALL.replace("from kombu.utils import json", "import json").replace(
                "dumps(entry)", "dumps(entry, default=str)"
            )
        ),
        _module(ALL.replace('"args": args', '"args": str(args)')),
    ],
    "wrong_alerts": _module(
        ALL.replace("if redis.hsetnx", "redis.hset").replace(
            "json.dumps(entry)):\n    ", "json.dumps(entry))\n"
        )
    ),
    "not_a_hash": _module(
        ALL.replace('redis.hsetnx("letters-3-6a", task_id, ', 'redis.lpush("letters-3-6a", ')
    ),
    "unreadable": _module(ALL.replace("json.dumps(entry)", "repr(entry)")),
    "raised": _module(ALL.replace("sender, request, **_", "sender, request")),
}

QUEUE = "exercise-3-6a"
KEY, ALERTS = "letters-3-6a", "alerts-3-6a"
DUE = date(2026, 2, 28)
# ids, and what is sent: what a learner sees in the feedback
SENT: dict[str, tuple[str, list[Any]]] = {
    "raises": ("tasks_3_6a.charge", ["Aiko", DUE]),
    "hard limit": ("tasks_3_6a.stuck", ["Ken"]),
    "lost process": ("tasks_3_6a.crash", ["Mio"]),
    "expired": ("tasks_3_6a.charge", ["Yui", DUE]),
    "unknown": ("shop.forgotten", ["Ren", DUE]),
}
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Let five tasks fail, and read what is kept of them."""
    if unfinished(answer):
        return not_attempted()
    fresh(answer)
    lab.redis.delete(QUEUE, KEY, ALERTS)
    with lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker:
        results = {task_id: _send(task_id) for task_id in SENT}
        wait_for(len(SENT), "failures", lambda: [each for each in results.values() if each.ready()], TIMEOUT)
        # a state is stored before its signal is sent; whoever answers this has sent them all
        worker.until(running=0, reserved=0)
        log = worker.log("Error: ")
        worker.kill()
    return _judge(log)


def _judge(log: Any) -> Outcome:
    redis: Any = lab.redis
    kind = redis.type(KEY).decode()
    if kind not in ("hash", "none"):
        return not_right("not_a_hash", kind=kind)
    entries = {field.decode(): value.decode() for field, value in redis.hgetall(KEY).items()}
    for task_id, (name, args) in SENT.items():
        if task_id not in entries:
            continue
        expected = {"name": name, "args": args, "kwargs": {}}
        try:
            found = loads(entries[task_id])  # type: ignore[no-untyped-call]
            known = {key: found.get(key) for key in expected}
        except (ValueError, AttributeError):
            return not_right("unreadable", name=repr(task_id), found=entries[task_id][:80])
        if known != expected:
            return not_right("wrong_entry", name=repr(task_id), expected=expected, found=known)
    if missing := [task_id for task_id in SENT if task_id not in entries]:
        last = str(log).splitlines()[-1] if str(log).strip() else "no error"
        return not_right("missing", found=len(SENT) - len(missing), missing=", ".join(missing), log=last)
    alerts = [task_id.decode() for task_id in redis.lrange(ALERTS, 0, -1)]
    if sorted(alerts) != sorted(SENT):
        return not_right("wrong_alerts", found=", ".join(alerts) or "nothing")
    return right(names=", ".join(SENT))


def _send(task_id: str) -> Any:
    name, args = SENT[task_id]
    # an earlier check's would be ready at once
    lab.client.AsyncResult(task_id).forget()
    expires = -1 if task_id == "expired" else None
    return lab.client.send_task(name, args, task_id=task_id, expires=expires, queue=QUEUE)
