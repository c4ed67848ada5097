"""Exercise 2-2b: the rest of a chain, and no step twice."""

from celery.result import AsyncResult

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Go on after a failure"

TEXT = """
`order` charges a customer, packs a box, and ships it. While there are no boxes, `pack` fails.
Complete `resume(result, address, carrier)` in `tasks_2_2b.py`. It gets the result of an order whose
`pack` has failed, sends what is left to do, and returns the new result.

`check` starts a worker of your module and sends an order that fails. Then it brings boxes and calls
`resume`. The order must be shipped, and the customer charged once.
"""

HINTS = [
    "Which step was the last one to succeed, and where is its value now?",
    "`result` is the result of `ship`. `result.parent` is that of `pack`.",
    "Give the value to `pack` as its first argument, and put `ship` behind it.",
]

FEEDBACK = {
    "right": "Charged once: {found!r}.",
    "no_resume": "`tasks_2_2b.py` has no function `resume`.",
    "no_result": "`resume` returned {found!r}, and not the result of what it sent.",
    "charged_again": "The order was shipped, and `charge` ran {n} times: the customer has paid {n} times.",
    "failed": "After `resume` these tasks ran: {ran}. The last of them has the state {state}, with {error}.",
    "nothing_ran": "`resume` returned a result, and no task ran after it.",
    "wrong": "The last task returned {found!r}, and not {expected!r}.",
}

MODULE = """%%writefile tasks_2_2b.py
import os

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_2b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-2b"
redis = Redis.from_url(url)


@app.task
def charge(customer):
    return f"{{customer}} paid, receipt {{redis.incr('receipts 2-2b')}}"


@app.task
def pack(paid, address):
    if not redis.exists("boxes 2-2b"):
        raise RuntimeError("no boxes left")
    return f"{{paid}}, packed for {{address}}"


@app.task
def ship(packed, carrier):
    return f"{{packed}}, sent by {{carrier}}"


def order(customer, address, carrier):
    return charge.s(customer) | pack.s(address) | ship.s(carrier)


def resume(result, address, carrier):
    {answer}
"""


def _module(answer: str) -> str:
    return MODULE.format(answer=answer)


SOLUTION = _module("""paid = result.parent.parent.get(timeout=10)
    return (pack.s(paid, address) | ship.s(carrier)).apply_async()""")

WRONG = {
    "charged_again": _module('return order("Ada", address, carrier).apply_async()'),
    "failed": _module('return (pack.s("Ada paid", address) | ship.si(carrier)).apply_async()'),
    "wrong": [
        _module("""paid = result.parent.parent.get(timeout=10)
    return ship.delay(paid, carrier)"""),
        _module("return (pack.s(str(result.parent.result), address) | ship.s(carrier)).apply_async()"),
    ],
    "no_result": _module("""paid = result.parent.parent.get(timeout=10)
    (pack.s(paid, address) | ship.s(carrier)).apply_async()"""),
    "nothing_ran": _module("return result"),
    "raised": [
        _module("""paid = result.parent.get(timeout=10)
    return (pack.s(paid, address) | ship.s(carrier)).apply_async()"""),
        _module("return (pack.s(address) | ship.s(carrier)).apply_async()"),
    ],
}

QUEUE = "exercise-2-2b"
KEYS = "receipts 2-2b", "boxes 2-2b"
SHIPPED = "Ada paid, receipt 1, packed for Paris, sent by mail"
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Let an order fail, have it resumed, and count the charges."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "resume"):
        return not_right("no_resume")
    lab.redis.delete(QUEUE, *KEYS)
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        broken = call(module.order, "Ada", "Paris", "mail").apply_async()
        broken.get(timeout=TIMEOUT, propagate=False)
        lab.redis.set(KEYS[1], 1, ex=60)
        with lab.watch() as seen:
            found = call(module.resume, broken, "Paris", "mail")
            if isinstance(found, AsyncResult):
                found.get(timeout=TIMEOUT, propagate=False)
                worker.until(running=0, reserved=0)  # its events come after its results
    charged = int(lab.redis.get(KEYS[0]) or 0)
    lab.redis.delete(*KEYS)
    runs = [run for run in seen if run.started is not None]
    if not isinstance(found, AsyncResult):
        return not_right("no_result", found=found)
    if not runs:
        return not_right("nothing_ran")
    if found.failed():
        ran = ", ".join(run.task.rpartition(".")[2] for run in runs)
        return not_right("failed", ran=ran, state=runs[-1].state, error=repr(found.result))
    if charged > 1:
        return not_right("charged_again", n=charged)
    if found.result != SHIPPED:
        return not_right("wrong", found=found.result, expected=SHIPPED)
    return right(found=found.result)
