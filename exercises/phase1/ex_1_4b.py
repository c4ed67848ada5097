"""Exercise 1-4b: one task survives a killed worker, another must never run twice."""

from uuid import uuid4

from celerylab import lab
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
        "The report began {reports} times, the payment once."
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
TIMEOUT = 12.0  # s; redelivery takes 2 to 4
PATIENT = {"VISIBILITY_TIMEOUT": "2"}


def check(answer: str) -> Outcome:
    """Kill the learner's worker while both tasks run; look at the broker, then start another."""
    if unfinished(answer):
        return not_attempted()
    key = f"exercise-1-4b-{uuid4()}"
    queues = [PAYMENTS, REPORTS]
    with lab.worker(answer, queues=queues) as worker:
        payment = lab.client.send_task(f"{answer}.pay", args=(key,), queue=PAYMENTS)
        report = lab.client.send_task(f"{answer}.report", args=(key,), queue=REPORTS)
        worker.until(running=2)
        worker.kill()
    kept = _unacked()
    lab.redis.set(key, "open", ex=60)
    if not kept.get(REPORTS):
        _forget_messages()
        return not_right("report_lost", state=report.state)
    with lab.worker(answer, queues=queues, env=PATIENT) as worker:
        for result in [report, *([payment] if kept.get(PAYMENTS) else [])]:
            ...
        worker.kill()
    return right()


def _unacked() -> dict[str, int]:
    return {name: held for name, _, held in lab.queues().rows}
