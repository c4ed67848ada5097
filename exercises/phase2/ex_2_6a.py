"""Exercise 2-6a: settings that give alarms a queue of their own, and refuse a misspelt one."""

import contextlib
from functools import partial
from typing import Any
from uuid import uuid4

from celery import Task
from celery.exceptions import QueueNotFound
from celery.exceptions import TimeoutError as NoResult

from celerylab import lab
from celerylab.stack.worker import Worker
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.phase2.destination_2_6 import destination

TITLE = "Let alarms pass"

TEXT = """
A factory's app has two tasks. Replace the `...` in `tasks_2_6a.py` by settings with which

- `invoice.delay(...)` leads to the queue `factory.invoices`, and `alarm.delay(...)` to `factory.alarms`;
- any other queue is refused at once, with `QueueNotFound`.

Leave the tasks as they are. `check` sends one of each and looks where it goes, then an alarm with
`queue="factory.alarm"`. After that it starts two workers with one process each, one for each queue,
and sends four invoices, which take long. Then it sends an alarm. It must end while no invoice is done.
"""

HINTS = [
    "`task_routes`, `task_queues` and `task_create_missing_queues`. Settings are attributes of `app.conf`.",
    "The name of a task begins with its module: `tasks_2_6a.alarm`. A route is found by the whole name.",
    "What `task_queues` does not list is unknown. It is a list of `Queue(name)`, one for each queue.",
]

FEEDBACK = {
    "right": (
        "The alarm ended at {node} while {n} invoices were still open. A queue with a mistake in its name "
        "was refused."
    ),
    "no_tasks": "`tasks_2_6a.py` should hold the tasks `invoice` and `alarm`. It has no task {task}.",
    "wrong_queue": (
        "`{task}.delay(...)` led to {found!r}; it should lead to {expected!r}. Compare the names in your "
        "settings, letter by letter, with Celery's, and with {name!r}. On which object do they stand?"
    ),
    "nothing_sent": "`{task}.delay(...)` sent no message.",
    "not_refused": (
        "An alarm with queue={queue!r} was accepted. No worker will ever take it from there. Which setting "
        "decides what becomes of a queue that is missing?"
    ),
    "stuck": (
        "Four invoices were sent, then an alarm. {seconds:g} s later the alarm was {state}, and {n} invoices "
        "were open."
    ),
    "failed": "The alarm's state is {state}, and its result is {result!r}. Are the tasks as they were?",
}

MODULE = """%%writefile tasks_2_6a.py
import os
import time

from celery import Celery
from kombu import Queue
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_6a", broker=url, backend=url)
redis = Redis.from_url(url)
SETTINGS


@app.task
def invoice(gate):
    while not redis.exists(gate):
        time.sleep(0.05)


@app.task
def alarm(text):
    return text
"""

ROUTES = """app.conf.task_routes = {
    "tasks_2_6a.invoice": "factory.invoices",
    "tasks_2_6a.alarm": "factory.alarms",
}
"""
QUEUES = 'app.conf.task_queues = [Queue("factory.invoices"), Queue("factory.alarms")]\n'
STRICT = "app.conf.task_create_missing_queues = False"


def _module(settings: str) -> str:
    return MODULE.replace("SETTINGS", settings)


SOLUTION = _module(ROUTES + QUEUES + STRICT)

WRONG = {
    "wrong_queue": [
        _module(ROUTES.replace("tasks_2_6a.", "")),
        _module(ROUTES.replace("app.conf.", "app.")),
        _module(ROUTES.replace("task_routes", "routes")),
        _module('app.conf.task_default_queue = "factory.alarms"'),
    ],
    "not_refused": [
        _module(ROUTES),
        _module(ROUTES + QUEUES),
        _module(ROUTES + QUEUES + STRICT.replace("missing", "unknown")),
    ],
    "raised": [
        _module(ROUTES + STRICT),
        _module(ROUTES + 'app.conf.task_queues = ["factory.invoices", "factory.alarms"]\n' + STRICT),
    ],
}

INVOICES, ALARMS, MISSPELT = "factory.invoices", "factory.alarms", "factory.alarm"
HOMES = {"invoice": INVOICES, "alarm": ALARMS}
N_INVOICES = 4
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Send with the learner's settings; then let an alarm come while invoices take long."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    tasks = {name: getattr(module, name, None) for name in HOMES}
    for name, task in tasks.items():
        if not hasattr(task, "delay"):
            return not_right("no_tasks", task=name)
    _clear()
    try:
        return _misled(tasks) or _accepted(tasks["alarm"]) or _overtake(answer, tasks)
    finally:
        _clear()


def _misled(tasks: "dict[str, Task[Any, Any]]") -> Outcome | None:
    for name, expected in HOMES.items():
        found = destination(partial(tasks[name].delay, "open"))
        if found is None:
            return not_right("nothing_sent", task=name)
        if found != expected:
            return not_right("wrong_queue", task=name, found=found, expected=expected, name=tasks[name].name)
    return None


def _accepted(alarm: "Task[Any, Any]") -> Outcome | None:
    try:
        alarm.apply_async(("fire",), queue=MISSPELT)
    except QueueNotFound:
        return None
    return not_right("not_refused", queue=MISSPELT)


def _overtake(answer: str, tasks: "dict[str, Task[Any, Any]]") -> Outcome:
    _clear()
    gate = f"exercise-2-6a-{uuid4()}"
    with _worker(answer, INVOICES) as slow, _worker(answer, ALARMS) as quick:
        invoices = [call(tasks["invoice"].delay, gate) for _ in range(N_INVOICES)]
        slow.until(running=1)
        alarm = call(tasks["alarm"].delay, "fire")
        with contextlib.suppress(NoResult):
            alarm.get(timeout=TIMEOUT, propagate=False)
        n = sum(not invoice.ready() for invoice in invoices)
        lab.redis.set(gate, "open", ex=60)
        if alarm.ready():  # so that no message of the invoices is left
            for invoice in invoices:
                invoice.get(timeout=TIMEOUT, propagate=False)
        slow.kill()
        quick.kill()
    if not alarm.ready() or n < N_INVOICES:
        return not_right("stuck", seconds=TIMEOUT, state=alarm.state, n=n)
    if alarm.state != "SUCCESS":
        return not_right("failed", state=alarm.state, result=alarm.result)
    return right(node=quick.node, n=n)


def _worker(module: str, queue: str) -> Worker:
    return lab.worker(module, name=queue.partition(".")[2], concurrency=1, queues=[queue])


def _clear() -> None:
    lab.redis.delete(INVOICES, ALARMS, MISSPELT)
