"""Exercise 1-4b: one task survives a killed worker, another must never run twice."""

import contextlib
import json
from uuid import uuid4

from celery import exceptions
from celery.result import AsyncResult

from celerylab import lab
from celerylab.stack.waiting import wait_for
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Survive a kill"

TEXT = """
`tasks_1_4b.py` has two tasks. `report` writes a report: it must be done, even if a worker is
killed, and twice does no harm. `pay` pays a bill: rather not at all than twice. Replace each `...`
by what the task needs, or by nothing.

`check` starts a worker with two processes and sends both tasks. While both run, it kills the worker
with SIGKILL and looks at the messages that the broker still has. Then it starts another worker,
whose visibility timeout is 2 seconds, and waits until the report is done. In the end `report` must
have begun twice and `pay` once.
"""

HINTS = [
    "Which of the two messages may the broker forget when the task begins?",
    "What holds for one task alone is an option of its decorator, not a setting of the app.",
    "`acks_late` is an option of `@app.task`, and it is off unless you turn it on.",
]

FEEDBACK = {
    "right": (
        "After the kill the broker still had the message of the report, and not that of the payment. "
        "The report began {reports} times, the payment once, and the report is done."
    ),
    "report_lost": (
        "The worker was killed while both tasks ran. After that the broker had no message of `report` any "
        "more, and its state will be {state} for ever. When was that message acknowledged?"
    ),
    "paid_twice": (
        "The worker was killed while both tasks ran. After that the broker still had the message of `pay`, "
        "and the next worker took it: `pay` began {payments} times. What made that message stay?"
    ),
    "not_redelivered": (
        "After the kill the broker had the message of `report`, but in {seconds:g} s the next worker did not "
        "do it. Are `broker_transport_options` in your module as they were?"
    ),
}

MODULE = """%%writefile tasks_1_4b.py
import os
import time

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_1_4b", broker=url, backend=url)
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", 3600)),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
redis = Redis.from_url(url)


@app.task(FOR_REPORT)
def report(key):
    redis.incr(f"{key} reports")
    while not redis.exists(key):
        time.sleep(0.05)


@app.task(FOR_PAY)
def pay(key):
    redis.incr(f"{key} payments")
    while not redis.exists(key):
        time.sleep(0.05)
"""


def _module(report: str = "", pay: str = "", setting: str = "") -> str:
    filled = MODULE.replace("FOR_REPORT", report).replace("FOR_PAY", pay)
    return filled.replace("redis = Redis", f"{setting}redis = Redis")


SOLUTION = _module("acks_late=True")

WRONG = {
    "report_lost": [
        _module("reject_on_worker_lost=True"),
        _module("autoretry_for=(Exception,), max_retries=3"),
        _module(setting="app.conf.acks_late = True\n"),
        _module(pay="acks_late=True"),
    ],
    "paid_twice": [
        _module(setting="app.conf.task_acks_late = True\n"),
        _module("acks_late=True", "acks_late=True, max_retries=0"),
    ],
    "not_redelivered": _module("acks_late=True").replace(
        'int(os.environ.get("VISIBILITY_TIMEOUT", 3600))', "3600"
    ),
}

REPORTS, PAYMENTS = "reports-1-4b", "payments-1-4b"
QUEUES = [REPORTS, PAYMENTS]
TIMEOUT = 15.0  # s; the next worker has the message after 2 to 4
PATIENCE = {"VISIBILITY_TIMEOUT": "2"}


def check(answer: str) -> Outcome:
    """Kill the learner's worker while both tasks run; look at the broker, then start another."""
    if unfinished(answer):
        return not_attempted()
    _clear()
    key = f"exercise-1-4b-{uuid4()}"
    with lab.worker(answer, name="killed-1-4b", queues=QUEUES) as worker:
        report, payment = _send(answer, "report", key, REPORTS), _send(answer, "pay", key, PAYMENTS)
        # begun, by the tasks' own account; and accepted, so that an early acknowledgement was sent
        wait_for(2, "tasks begun", lambda: lab.redis.keys(f"{key} *"), TIMEOUT)
        worker.until(running=2)
        worker.kill()
    held = {queue: held for queue, _waiting, held in lab.queues().rows}
    if not held.get(REPORTS):
        _clear()
        return not_right("report_lost", state=report.state)
    lab.redis.set(key, "open", ex=60)
    with lab.worker(answer, name="next-1-4b", queues=QUEUES, env=PATIENCE) as worker:
        done = _ready(report) and (not held.get(PAYMENTS) or _ready(payment))
        worker.kill()
    _clear()
    if not done:
        return not_right("not_redelivered", seconds=TIMEOUT)
    reports, payments = (int(lab.redis.get(f"{key} {what}") or 0) for what in ("reports", "payments"))
    if payments > 1:
        return not_right("paid_twice", payments=payments)
    return right(reports=reports)


def _send(module: str, task: str, key: str, queue: str) -> AsyncResult:
    return lab.client.send_task(f"{module}.{task}", args=(key,), queue=queue)


def _ready(result: AsyncResult) -> bool:
    with contextlib.suppress(exceptions.TimeoutError):
        result.get(timeout=TIMEOUT, propagate=False)
    return bool(result.ready())


def _clear() -> None:
    """Take away what an earlier check has left in the broker."""
    lab.redis.delete(*QUEUES)
    for tag, raw in lab.redis.hgetall("unacked").items():
        if json.loads(raw)[2] in QUEUES:
            lab.redis.hdel("unacked", tag)
            lab.redis.zrem("unacked_index", tag)
