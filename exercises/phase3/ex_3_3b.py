"""Exercise 3-3b: an alert for each order that is lost, however it was lost, and for no other."""

from typing import Any

from celerylab import lab
from celerylab.stack.webhook import Webhook
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "One alert, whatever the end"

TEXT = """
`send_order` in `tasks_3_3b.py` delivers an order, and tries again while the partner is busy. Change the
module so that an order which is finally lost leads to one call of `alert(order)`, whatever the reason. An
order that is delivered in the end leads to none. A lost order's state stays `FAILURE`.

`check` sends four orders to a worker: to a partner who is busy once, to one who is busy for good, to one
who refuses, and to an address that is none. It receives the alerts.
"""

HINTS = [
    "The body runs once for each try. Which place is reached once for each task?",
    "A task may have another base class: `@app.task(base=...)`. Its handlers are methods.",
    "`on_failure(self, exc, task_id, args, kwargs, einfo)`. The order is the second of `args`.",
]

FEEDBACK = {
    "right": "Three of four orders were lost: {lost}. One alert came for each, and none for the other.",
    "no_task": "`tasks_3_3b.py` should hold a task `send_order`. The worker knows no task of that name.",
    "no_alert": "The {order} was lost, and no alert came. Alerts so far: {alerts}.",
    "too_many": "The {order} was lost once, and {found} alerts came. How often is that place reached?",
    "needless": "The {order} was delivered at the second try, and yet an alert came.",
    "not_failed": "The {order} was lost, and its state is {state}. Whoever asks for it should know.",
    "not_delivered": "The partner was busy once. Then the order's state was {state}: {result!r}.",
}

MODULE = """%%writefile tasks_3_3b.py
import os

from celery import Celery, Task
from celery.exceptions import MaxRetriesExceededError

from labtasks.alerts import send_alert
from labtasks.http import post

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_3b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-3b"
often = {{"max_retries": 2, "countdown": 0.1}}


class Busy(Exception):
    pass


def deliver(partner, order):
    status = post(partner, {{"order": order}}).status_code
    if status == 503:
        raise Busy(order)
    if status != 200:
        raise ValueError(f"status {{status}}")
    return "delivered"


def alert(order):
    send_alert(f"{{order}} is lost", order=order)

{answer}
"""


def _module(task: str) -> str:
    return MODULE.format(answer=task)


def _body(body: str, decorator: str = "autoretry_for=(Busy,), retry_kwargs=often") -> str:
    return _module(f"\n@app.task({decorator})\ndef send_order(partner, order):\n{body}")


BASE = """
class Alerting(Task):
    def on_failure(self, exc, task_id, args, kwargs, einfo):
        alert(args[1])

"""
TASK = (
    "@app.task(base=Alerting, autoretry_for=(Busy,), retry_kwargs=often)\ndef send_order(partner, order):\n"
)

SOLUTION = _module(f"{BASE}\n{TASK}    return deliver(partner, order)")

WRONG = {
    "no_alert": [
        _body("    return deliver(partner, order)"),
        _body(
            "    try:\n        return deliver(partner, order)\n"
            "    except MaxRetriesExceededError:\n        alert(order)\n        raise"
        ),
        _module(  # only the end after retries
            "\n@app.task(bind=True, max_retries=2)\ndef send_order(self, partner, order):\n"
            "    try:\n        return deliver(partner, order)\n    except Busy as error:\n"
            "        if self.request.retries == self.max_retries:\n            alert(order)\n"
            "        raise self.retry(exc=error, countdown=0.1)"
        ),
    ],
    "needless": _body(
        "    try:\n        return deliver(partner, order)\n"
        "    except Exception:\n        alert(order)\n        raise"
    ),
    "too_many": _module(
        f"{BASE}\n{TASK}    try:\n        return deliver(partner, order)\n    except ValueError:\n"
        "        alert(order)\n        raise"
    ),
    "not_failed": _module(
        "\n@app.task(bind=True, max_retries=2)\ndef send_order(self, partner, order):\n"
        "    try:\n        return deliver(partner, order)\n    except Busy:\n        try:\n"
        "            raise self.retry(countdown=0.1)\n        except MaxRetriesExceededError:\n"
        "            alert(order)\n    except Exception:\n        alert(order)"
    ),
    "not_delivered": _module(
        f"{BASE}\n@app.task(base=Alerting)\ndef send_order(partner, order):\n"
        "    return deliver(partner, order)"
    ),
}

QUEUE = "exercise-3-3b"
DELIVERED = "order to a partner who is busy once"
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Send orders that end in four ways, and look at the alerts that come."""
    if unfinished(answer):
        return not_attempted()
    lab.redis.delete(QUEUE)
    alerts = lab.webhook()
    with lab.worker(answer, concurrency=1, queues=[QUEUE], env={"CELERYLAB_ALERT_URL": alerts.url}) as worker:
        try:
            return _send(worker, f"{answer}.send_order", alerts)
        finally:
            worker.kill()
            lab.redis.delete(QUEUE)


def _send(worker: Worker, task: str, alerts: Webhook) -> Outcome:
    if task not in worker.inspect("registered"):
        return not_right("no_task")
    orders = {
        DELIVERED: lab.webhook(failures=1).url,
        "order to a partner who is busy for good": lab.webhook(status=503).url,
        "order to a partner who refuses": lab.webhook(status=400).url,
        "order to no address": "no address",
    }
    for order, partner in orders.items():
        result = lab.client.send_task(task, args=(partner, order), queue=QUEUE)
        result.get(timeout=TIMEOUT, propagate=False)
        problem = _judge(order, result, worker, alerts)
        if problem:
            return problem
    return right(lost=", ".join(order for order in orders if order != DELIVERED))


def _judge(order: str, result: Any, worker: Worker, alerts: Webhook) -> Outcome | None:
    worker.until(running=0)  # a failed task's handlers run after its result is there
    found = sum(alert.body["order"] == order for alert in alerts)
    if order == DELIVERED:
        if result.state != "SUCCESS":
            return not_right("not_delivered", state=result.state, result=result.result)
        return not_right("needless", order=order) if found else None
    if not found:
        return not_right("no_alert", order=order, alerts=len(alerts))
    if found > 1:
        return not_right("too_many", order=order, found=found)
    return None if result.state == "FAILURE" else not_right("not_failed", order=order, state=result.state)
