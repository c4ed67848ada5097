"""Exercise 4-5a: settings under which no order is lost, and nothing is held for ever."""

import time

from celery.result import AsyncResult

from celerylab import lab
from celerylab.stack.keys import UNACKED
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Lose nothing, hold nothing"

TEXT = """
Replace the `...` in `tasks_4_5a.py` by a dictionary of Celery's settings, so that

- an order that takes longer than 1 s is ended, soft or hard,
- no process packs more than 5 orders,
- an order whose worker is killed while it packs is not lost.

Leave the task as it is. `check` sends nine orders, one of them stuck, to a worker with one process. Then it
kills that worker in the middle of an order, and looks at what the broker still has.
"""

HINTS = [
    "Lesson 4-5 shows one setting for each; in Celery's documentation they begin with `task_` and `worker_`.",
    "`task_soft_time_limit`, `worker_max_tasks_per_child`, `task_acks_late`.",
]

FEEDBACK = {
    "right": "The stuck order ended, no process packed over {most}, and the killed worker's order is kept.",
    "stuck": (
        "After {seconds:g} s the order that is stuck had not ended; its state is {state}. "
        "Orders behind it wait."
    ),
    "too_eager": "An order of {seconds:g} s ended with {state}. It should have had time.",
    "lives_on": "One process packed {found} orders. Celery ignores a setting that it doesn't know.",
    "lost": (
        "The worker was killed while it packed. The broker holds neither the order nor a note of it. When is "
        "a message acknowledged?"
    ),
}

MODULE = """%%writefile tasks_4_5a.py
import os
import time

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_4_5a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-4-5a"
settings = {settings}
app.conf.update(settings)
packed = []


@app.task
def pack(order, seconds):
    time.sleep(seconds)
    packed.append(order)
    return len(packed)
"""


def _module(**settings: object) -> str:
    return MODULE.format(settings=settings)


SOLUTION = _module(task_soft_time_limit=1, worker_max_tasks_per_child=5, task_acks_late=True)

WRONG = {
    "stuck": _module(task_soft_time_limit=300, worker_max_tasks_per_child=5, task_acks_late=True),
    "lives_on": _module(task_time_limit=1, max_tasks_per_child=5, task_acks_late=True),
    "lost": _module(task_soft_time_limit=1, worker_max_tasks_per_child=5),
    "too_eager": _module(task_soft_time_limit=0.1, worker_max_tasks_per_child=5, task_acks_late=True),
}

QUEUE = "exercise-4-5a"
MOST = 5
ORDERS = 8
QUICK, LONG, STUCK = 0.0, 0.4, 60.0  # s that an order takes
PATIENCE = 5.0  # s for an order that is to end after one; a hard limit replaces a process
TIMEOUT = 20.0  # s
PAUSE = 0.02  # s


def check(answer: str) -> Outcome:
    """Send orders, one of which is stuck; then kill the worker while it packs."""
    if unfinished(answer):
        return not_attempted()
    client = lab.redis
    client.delete(QUEUE, UNACKED)
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        try:
            return _send(worker, f"{answer}.pack")
        finally:
            worker.kill()
            client.delete(QUEUE, UNACKED)


def _send(worker: Worker, task: str) -> Outcome:
    def send(order: str, seconds: float, **limits: float) -> AsyncResult:
        return lab.client.send_task(task, (order, seconds), queue=QUEUE, **limits)

    long, stuck = send("long", LONG), send("stuck", STUCK)
    long.get(timeout=TIMEOUT, propagate=False)
    if long.state != "SUCCESS":
        return not_right("too_eager", seconds=LONG, state=long.state)
    deadline = time.monotonic() + PATIENCE
    while not stuck.ready():
        if time.monotonic() > deadline:
            return not_right("stuck", seconds=PATIENCE, state=stuck.state)
        time.sleep(PAUSE)
    counts = [send(f"order {n}", QUICK).get(timeout=TIMEOUT) for n in range(ORDERS)]
    if max(counts) > MOST:
        return not_right("lives_on", found=max(counts))
    # limits of its own, so that nothing but the kill ends it
    last = send("last", STUCK, soft_time_limit=STUCK, time_limit=STUCK)
    worker.until(running=1)
    worker.kill()
    kept = lab.redis.hvals(UNACKED)
    if not any(last.id.encode() in message for message in kept):
        return not_right("lost")
    return right(most=max(counts))
