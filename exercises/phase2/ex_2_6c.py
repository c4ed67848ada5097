"""Exercise 2-6c: three classes of orders in one queue, by priority."""

from collections.abc import Callable
from typing import Any

from celerylab import lab
from celerylab.stack.keys import PRIORITY
from celerylab.stack.waiting import wait_for
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Serve three classes from one queue"

TEXT = """
Orders are packed by one task, `pack`, in one queue. Complete `tasks_2_6c.py`:

- `send_express(order)` sends an order that is packed before all others;
- `send_sample(order)` sends one that is packed after all others;
- the rest of the shop calls `pack.delay(order)`. You cannot change those calls: choose a setting that
  puts them in between. If you need none, take the `...` away.

Each class is packed in the order in which it was sent. `check` sends six orders while no worker runs,
in turn a sample, a plain order and an express one. Then it starts a worker with one process, and looks
in which order they were packed.
"""

HINTS = [
    "Which priority has an order that is sent with `pack.delay`, when no setting says otherwise?",
    "0, 1 and 2 lie in the same list. Choose numbers from three lists.",
    "`task_default_priority` is the priority of all that is sent without one.",
]

FEEDBACK = {
    "right": "Packed in this order: {order}.",
    "no_function": "`tasks_2_6c.py` should hold `pack`, `send_express` and `send_sample`. It has no {name}.",
    "not_sent": (
        "`check` sent six orders, two of each class, and {n} messages lie in the lists of the queue "
        "parcels.packing. How does each of your functions send?"
    ),
    "not_first": (
        "Packed in this order: {order}. An express order had to wait for others. Before the worker started, "
        "the lists in the broker held: {lists}."
    ),
    "not_last": (
        "Packed in this order: {order}. A sample came before a plain order. Before the worker started, the "
        "lists in the broker held: {lists}."
    ),
    "failed": "An order was not packed: its state is {state}, and its result {result!r}.",
}

MODULE = """%%writefile tasks_2_6c.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_6c", broker=url, backend=url)
app.conf.task_default_queue = "parcels.packing"
SETTING


@app.task
def pack(order):
    return order


def send_express(order):
    pack.apply_async((order,)EXPRESS)


def send_sample(order):
    pack.apply_async((order,)SAMPLE)
"""


def _module(express: int | None, sample: int | None, setting: str = "") -> str:
    def option(priority: int | None) -> str:
        return "" if priority is None else f", priority={priority}"

    filled = MODULE.replace("EXPRESS", option(express)).replace("SAMPLE", option(sample))
    return filled.replace("SETTING", setting)


DEFAULT = "app.conf.task_default_priority = "

SOLUTION = _module(0, 9, f"{DEFAULT}6")

WRONG = {
    "not_first": [
        _module(9, 0, f"{DEFAULT}5"),
        _module(0, 9),
        _module(0, 2, f"{DEFAULT}1"),
        _module(0, 9, "app.conf.default_priority = 6"),
        _module(0, 9, "app.conf.task_queue_max_priority = 9"),
    ],
    "not_last": [
        _module(0, None, f"{DEFAULT}6"),
        _module(0, 8, f"{DEFAULT}7"),
    ],
    "not_sent": [
        SOLUTION.replace("pack.apply_async((order,), priority=0)", "pack(order)"),
        SOLUTION.replace("priority=0", 'queue="express"'),
    ],
    "no_function": SOLUTION.replace("send_express", "send_urgent"),
}

QUEUE = "parcels.packing"
STEPS = (0, 3, 6, 9)
KEYS = {step: f"{QUEUE}{PRIORITY}{step}" if step else QUEUE for step in STEPS}
CLASSES = ("express", "plain", "sample")
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Send six orders while no worker runs; start one, and see when each was packed."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    for name in ("pack", "send_express", "send_sample"):
        if not callable(getattr(module, name, None)):
            return not_right("no_function", name=name)
    lab.redis.delete(*KEYS.values())
    sends: dict[str, Callable[[str], Any]] = {
        "sample": module.send_sample, "plain": module.pack.delay, "express": module.send_express
    }  # fmt: skip
    for number in (1, 2):
        for name, send in sends.items():
            call(send, f"{name} {number}")
    lengths = {step: lab.redis.llen(key) for step, key in KEYS.items()}
    n = sum(lengths.values())
    if n != 2 * len(CLASSES):
        lab.redis.delete(*KEYS.values())
        return not_right("not_sent", n=n)
    results = [lab.client.AsyncResult(lab.peek(QUEUE, index).headers["id"]) for index in range(n)]
    with lab.worker(answer, name="packing", concurrency=1, queues=[QUEUE]) as worker:
        wait_for(n, "orders packed", lambda: [each for each in results if each.ready()], TIMEOUT)
        worker.kill()
    failed = [each for each in results if each.state != "SUCCESS"]
    if failed:
        return not_right("failed", state=failed[0].state, result=failed[0].result)
    order = [str(each.result) for each in sorted(results, key=lambda each: each.date_done)]
    classes = [name.partition(" ")[0] for name in order]
    facts = {
        "order": ", ".join(order),
        "lists": "; ".join(f"priority {step}: {length}" for step, length in lengths.items()),
    }
    if set(classes[:2]) != {"express"}:
        return not_right("not_first", **facts)
    if set(classes[-2:]) != {"sample"}:
        return not_right("not_last", **facts)
    return right(**facts)
