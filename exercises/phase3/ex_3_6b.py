"""Exercise 3-6b: mend a bug, replay what can be replayed, drop the rest."""

import time
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from celerylab import lab
from celerylab.dead_letters import letters
from celerylab.stack.waiting import wait_for
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Clear up after a bug"

TEXT = """
`invoice` has a bug. Last night it failed for five customers, and a sixth was sent to a task that no
longer exists. Each has a dead letter in the store `exercise-3-6b`.

- Mend `invoice` in `tasks_3_6b.py`: for the customer `"Aiko"`, the amount `Decimal("19.90")` and the
  due `date(2026, 2, 28)` it returns `"Aiko: 19.90 by 2026-02-28"`.
- Write `clear_up(store)`: it replays what can be replayed of `invoice`, each once, and drops the rest.
  One letter's arguments are kept as text only. Another was replayed this morning: its customer must not
  get a second invoice. Letters that were replayed stay in the store, as the record of that.

`check` fills the store, starts a worker of your module, calls `clear_up` twice, and waits until all
tasks have ended. Then it looks at the store, at the results, and at how often each customer got an
invoice.
"""

HINTS = [
    "`from labtasks.dead_letters import Filter, replay_all`. `replay_all` leaves alone what can't be "
    "replayed or was replayed already, and says so.",
    "`replay_all` gives one answer after the other: go through them all, or nothing is sent.",
    'Behind it, what is still open is the rest: `store.drop_all(Filter(state="open"))`.',
]

FEEDBACK = {
    "right": "Invoices: {invoices}. In the store: {states}.",
    "no_function": "`tasks_3_6b.py` has no function `clear_up`.",
    "failed_again": "{customer}'s task ran, and failed again: {problem}. It has a new letter.",
    "wrong_result": "The task of {customer} returned {found!r}. Expected: {expected!r}.",
    "wrong_count": (
        "Invoices that each customer should have got: {expected}. The worker counted: {found}. "
        "Ren's was replayed before `clear_up`, and is not counted here."
    ),
    "left": "`clear_up` has left open letters in the store: {ids}.",
    "too_much": (
        "These letters should have stayed in the store, marked as replayed: {expected}. There are: {found}."
    ),
}

MODULE = """%%writefile tasks_3_6b.py
import os

from celery import Celery
from labtasks.dead_letters import DeadLetters, Filter, NotReplayable, ReplayRefused
from labtasks.dead_letters import install, replay, replay_all
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_6b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-6b"
redis = Redis.from_url(url)
install(app, DeadLetters(url, "exercise-3-6b"), alert=None)


@app.task
def invoice(customer, amount, due):
    redis.rpush("invoices-3-6b", customer)
    return RETURN


def clear_up(store):
    BODY
"""

MENDED = 'f"{customer}: {amount} by {due}"'
CLEAR = """for _ in replay_all(store, app, Filter(task="invoice")):
        pass
    store.drop_all(Filter(state="open"))"""


def _module(body: str = CLEAR, value: str = MENDED) -> str:
    return MODULE.replace("RETURN", value).replace("BODY", body)


SOLUTION = _module()

WRONG = {
    "failed_again": _module(value='customer + ": " + amount + " by " + due'),
    "wrong_result": _module(value='f"{customer}: {amount:.0f} by {due}"'),
    "left": [
        _module('list(replay_all(store, app, Filter(task="invoice")))'),
        _module("""for letter in store.find(Filter(task="invoice")):
        try:
            replay(store, app, letter.id)
        except (ReplayRefused, NotReplayable):
            pass"""),
    ],
    "too_much": [
        _module(CLEAR.replace('Filter(state="open")', "")),
        _module("""for letter in store.find():
        if letter.task.endswith("invoice") and letter.arguments and letter.state == "open":
            replay(store, app, letter.id)
        store.drop(letter.id)"""),
    ],
    "wrong_count": [
        _module("""for letter in store.find():
        if letter.task.endswith("invoice") and letter.arguments:
            app.send_task(letter.task, *letter.read_arguments())
        store.drop(letter.id)"""),
        _module('replay_all(store, app, Filter(task="invoice"))\n    store.drop_all(Filter(state="open"))'),
    ],
    "raised": _module("""for letter in store.find():
        replay(store, app, letter.id)"""),
}

NAME = QUEUE = "exercise-3-6b"
COUNTS = "invoices-3-6b"
TASK = "tasks_3_6b.invoice"
DUE = date(2026, 2, 28)
REPLAYED = "Ren"
TEXT_ONLY = "Sora"
CALLS: dict[str, list[Any]] = {
    "Aiko": ["Aiko", Decimal("19.90"), DUE],
    "Ken": ["Ken", Decimal("5"), DUE],
    "Mio": ["Mio", Decimal("7.25"), DUE],
    REPLAYED: [REPLAYED, Decimal("1"), DUE],
    TEXT_ONLY: [TEXT_ONLY, {"19.90"}, DUE],
}
TO_DO = ("Aiko", "Ken", "Mio")
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Fill the store, let the learner's function work on it, and look at what has run."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not callable(getattr(module, "clear_up", None)):
        return not_right("no_function")
    lab.redis.delete(QUEUE, COUNTS)
    store = _filled()
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        call(module.clear_up, store)
        call(module.clear_up, store)
        # one process takes one after the other: when the last has ended, all have
        last = lab.client.send_task(TASK, ("last", Decimal(0), DUE), queue=QUEUE)
        wait_for(1, "end", lambda: [True] if last.ready() else [], TIMEOUT)
        worker.until(running=0, reserved=0)
        worker.kill()
    return _judge(store, last.id)


def _filled() -> Any:
    package = letters()
    pack = package.pack
    store = package.DeadLetters(lab.url, NAME)
    store.drop_all()
    now = time.time()
    known = {"kind": "exception", "exception": "TypeError", "routing_key": QUEUE}
    for n, (customer, args) in enumerate(CALLS.items()):
        store.add(
            package.DeadLetter(id=customer, task=TASK, failed_at=now - 60 + n, **known, **pack(args, {}))
        )
    store.add(
        package.DeadLetter(
            id="old task", task="tasks_3_6b.bill", failed_at=now, **known, **pack(CALLS["Ken"], {})
        )
    )
    store.claim(REPLAYED, "this-morning")
    store.settle(REPLAYED, "this-morning", "replayed")
    return store


def _judge(store: Any, last: str) -> Outcome:
    from celery.result import AsyncResult

    kept = {letter.id: letter for letter in store.find()}
    results = {
        name: AsyncResult(kept[name].replayed_as, app=lab.client)
        for name in TO_DO
        if name in kept and kept[name].replayed_as
    }
    for customer, result in results.items():
        # not by its new letter: that comes after the result, and later still if the store was slow to answer
        if result.failed():
            problem = f"{type(result.result).__name__}: {result.result}"
            return not_right("failed_again", customer=customer, problem=problem)
    counts = Counter(_texts(COUNTS))
    del counts["last"]
    if counts != Counter(TO_DO):
        shown = ", ".join(f"{name} {counts[name]}" for name in CALLS)
        return not_right("wrong_count", expected=", ".join(f"{name} 1" for name in TO_DO), found=shown)
    left = [letter.id for letter in kept.values() if letter.state == "open" and letter.id != last]
    if left:
        return not_right("left", ids=", ".join(sorted(left)))
    record = sorted([*TO_DO, REPLAYED])
    if sorted(set(kept) - {last}) != record:
        found = ", ".join(sorted(set(kept) - {last})) or "none"
        return not_right("too_much", expected=", ".join(record), found=found)
    for customer in TO_DO:
        name, amount, due = CALLS[customer]
        expected = f"{name}: {amount} by {due}"
        found = results[customer].get(timeout=TIMEOUT, propagate=False)
        if found != expected:
            return not_right("wrong_result", customer=customer, found=found, expected=expected)
    states = Counter(letter.state for letter in kept.values())
    return right(
        invoices=", ".join(f"{name} {n}" for name, n in sorted(counts.items())),
        states=", ".join(f"{n} {state}" for state, n in states.items()),
    )


def _texts(key: str) -> list[str]:
    values: Any = lab.redis.lrange(key, 0, -1)
    return [value.decode() for value in values]
