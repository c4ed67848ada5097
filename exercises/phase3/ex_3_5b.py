"""Exercise 3-5b: book every order once, while the worker is killed."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from celery.result import AsyncResult

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Book every order once"

TEXT = """
The task `book(order, amount)` in `tasks_3_5b.py` writes a row into the table `bookings(name, amount)`.
There is a second table, `keys(name)`, whose names are unique. Complete the task, and give it the options
that it needs. Use `with transaction() as bank:` and `bank.execute(...)`; the block is committed at its
end, or undone if it raises.

`check` starts your worker with two processes, sends orders, and kills it with SIGKILL while one order
is just before a commit and another just behind one; `hold` keeps them there. It does so twice. Then a
third worker, whose visibility timeout is 1 second, does what is left. In the end each of the {n} orders
must have one row, and its task must have succeeded.

Last, `check` calls `book` while another process books the same order, from before your first write to
behind its end. There must be one row, too.
"""

HINTS = [
    "When must the broker forget a message, if the worker can be killed at any moment of the task?",
    "A worker that is killed between two commits has done the first and not the second.",
    "Put the order's name into `keys` and its row into `bookings`, both in one block.",
    "Who comes second gets `sqlite3.IntegrityError` for the name in `keys`. For him, the order is booked.",
]

FEEDBACK = {
    "right": (
        "The worker was killed {kills} times, with two orders in its hands each time. {n} orders, {n} rows. "
        "And one row for the order that two processes booked at the same time."
    ),
    "missing": (
        "{missing} of {n} orders have no row. They were killed just {where} a commit. What did the broker, "
        "or your own key, know of them by then?"
    ),
    "double": (
        "{double} of {n} orders have two rows. They were killed just behind a commit, and came again. "
        "What did that commit hold, and what did it not?"
    ),
    "failed": (
        "Each order has one row. But the task of an order that came again ended as {state}: {error}. "
        "Was anything wrong with that order?"
    ),
    "at_once": (
        "Under the kills each order got one row. But when two processes booked the same order at the same "
        "time, it got {found} rows. What can happen between your question and your answer?"
    ),
    "not_done": (
        "In {seconds:g} s the third worker was not done: {left} messages are left. Are "
        "`broker_transport_options` as they were, and does anything of yours keep an order that came again?"
    ),
    "no_commit": (
        "The task of {order} did not come to the place just {where} a commit. Its state is {state}, "
        "its result {error}. Does it write in a `with transaction()` block?"
    ),
    "wrong_rows": "The rows are {found}, and these orders were sent: {expected}.",
}

MODULE = """%%writefile tasks_3_5b.py
import os
import sqlite3
import time
from contextlib import closing, contextmanager

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_5b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-5b"
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", 3600)),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
redis = Redis.from_url(url)


@contextmanager
def transaction():
    with closing(sqlite3.connect("bank_3_5b.sqlite3", timeout=30)) as bank:
        with bank:
            yield bank
            if bank.in_transaction:
                hold("before")
        if bank.total_changes:
            hold("behind")


def hold(where):
    if redis.sismember("3-5b hold", where):
        redis.sadd("3-5b held", f"{where} {os.getpid()}")
        while redis.sismember("3-5b hold", where):
            time.sleep(0.02)


DECORATORS
def book(order, amount):
    BODY
"""
DECORATED = "@app.task(acks_late=True)"

ONE_TRANSACTION = """try:
        with transaction() as bank:
            bank.execute("INSERT INTO keys VALUES (?)", [order])
            bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])
    except sqlite3.IntegrityError:
        return "booked before"
    return "booked\""""

NO_KEY = """with transaction() as bank:
        bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])"""

EFFECT_FIRST = """with transaction() as bank:
        if bank.execute("SELECT 1 FROM keys WHERE name = ?", [order]).fetchone():
            return
    with transaction() as bank:
        bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])
    with transaction() as bank:
        bank.execute("INSERT INTO keys VALUES (?)", [order])"""

KEY_FIRST = """try:
        with transaction() as bank:
            bank.execute("INSERT INTO keys VALUES (?)", [order])
    except sqlite3.IntegrityError:
        return
    with transaction() as bank:
        bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])"""

LOOK_FIRST = """with transaction() as bank:
        if not bank.execute("SELECT 1 FROM bookings WHERE name = ?", [order]).fetchone():
            bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])"""

NOT_CAUGHT = """with transaction() as bank:
        bank.execute("INSERT INTO keys VALUES (?)", [order])
        bank.execute("INSERT INTO bookings VALUES (?, ?)", [order, amount])"""


def _module(body: str = ONE_TRANSACTION, decorators: str = DECORATED) -> str:
    return MODULE.replace("DECORATORS", decorators).replace("BODY", body)


SOLUTION = _module()

WRONG = {
    "missing": [
        _module(decorators="@app.task"),
        _module(KEY_FIRST),
    ],
    "double": [
        _module(NO_KEY),
        _module(EFFECT_FIRST),
        _module(NO_KEY, f"{DECORATED}\n@idempotent_task(lease=1, wait=0.2)").replace(
            "from redis import Redis\n",
            "from redis import Redis\n\nfrom labtasks.idempotency import idempotent_task\n",
        ),
    ],
    "at_once": _module(LOOK_FIRST),
    "failed": _module(NOT_CAUGHT),
    "no_commit": _module("return redis.sadd('booked', order)"),
}

BANK = Path("bank_3_5b.sqlite3")
QUEUE, HOLD, HELD = "exercise-3-5b", "3-5b hold", "3-5b held"
PLACES = ("behind", "before")  # a commit
KILLS = 2
ORDERS = {f"order {n}": 10 * n for n in range(1, len(PLACES) * KILLS + 1)}
ORDER_AT_ONCE = ("order at once", 50)
TIMEOUT = 15.0  # s
PATIENCE = {"VISIBILITY_TIMEOUT": "1"}
TEXT = TEXT.format(n=len(ORDERS))


def check(answer: str) -> Outcome:
    """Kill the learner's worker around commits, let another finish, and count rows."""
    if unfinished(answer):
        return not_attempted()
    _clear()
    try:
        return _check_killed(answer) or _check_at_once(fresh(answer)) or right(kills=KILLS, n=len(ORDERS))
    finally:
        _clear()
        BANK.unlink(missing_ok=True)


def _check_killed(answer: str) -> Outcome | None:
    _empty_bank()
    sent: dict[str, AsyncResult] = {}
    orders = iter(ORDERS.items())
    for _ in range(KILLS):
        lab.redis.delete(HOLD, HELD)
        with lab.worker(answer, name="killed-3-5b", concurrency=2, queues=[QUEUE]) as worker:
            # the one that has committed comes first: the other will keep the database locked
            for running, where in enumerate(PLACES, start=1):
                lab.redis.sadd(HOLD, where)
                order, amount = next(orders)
                sent[order] = lab.client.send_task(f"{answer}.book", (order, amount), queue=QUEUE)
                if not _held(running, sent[order]):
                    state, error = sent[order].state, repr(sent[order].result)
                    return not_right("no_commit", order=order, where=where, state=state, error=error)
                worker.until(running=running)  # accepted: an early acknowledgement was sent
            worker.kill()
    lab.redis.delete(HOLD)
    with lab.worker(answer, name="next-3-5b", concurrency=2, queues=[QUEUE], env=PATIENCE) as worker:
        with suppress(Timeout):
            wait_for(1, "empty queue", lambda: [] if _left() else [True], TIMEOUT)
            # a message that is just being taken lies nowhere; a worker that answers has taken it
            worker.until(running=0, reserved=0, timeout=TIMEOUT)
        if left := _left():
            return not_right("not_done", seconds=TIMEOUT, left=left)
        worker.kill()
    return _judge(sent)


def _judge(sent: dict[str, AsyncResult]) -> Outcome | None:
    rows = _rows()
    found = Counter(name for name, _amount in rows)
    if missing := [order for order in ORDERS if not found[order]]:
        where = PLACES[list(ORDERS).index(missing[0]) % len(PLACES)]
        return not_right("missing", missing=len(missing), n=len(ORDERS), where=where)
    if double := [order for order in ORDERS if found[order] > 1]:
        return not_right("double", double=len(double), n=len(ORDERS))
    if dict(rows) != ORDERS:
        return not_right("wrong_rows", found=sorted(rows), expected=sorted(ORDERS.items()))
    for result in sent.values():
        if result.state != "SUCCESS":
            return not_right("failed", state=result.state, error=repr(result.result))
    return None


def _check_at_once(module: ModuleType) -> Outcome | None:
    """Call the task, and let it be called again at the moment when it begins to write."""
    _empty_bank()
    order, amount = ORDER_AT_ONCE
    others: Iterator[Callable[[], object]] = iter([partial(call, module.book, order, amount)])

    def statement(text: str) -> None:
        if text.startswith("BEGIN"):
            for other in others:
                with suppress(Exception):
                    other()

    @contextmanager
    def transaction() -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(BANK)) as bank, bank:
            bank.set_trace_callback(statement)
            yield bank

    module.transaction = transaction  # type: ignore[attr-defined]
    call(module.book, order, amount)
    rows = _rows()
    return None if rows == [ORDER_AT_ONCE] else not_right("at_once", found=len(rows))


def _held(processes: int, result: AsyncResult) -> bool:
    """Wait until so many processes are held, or the task has ended; say whether they are."""

    def held() -> bool:
        return len(lab.redis.smembers(HELD)) >= processes

    with suppress(Timeout):
        wait_for(1, "answer", lambda: [True] if held() or result.ready() else [], TIMEOUT)
    return held()


def _empty_bank() -> None:
    BANK.unlink(missing_ok=True)
    with closing(sqlite3.connect(BANK)) as bank:
        bank.executescript("CREATE TABLE bookings (name, amount); CREATE TABLE keys (name UNIQUE);")


def _rows() -> list[tuple[str, int]]:
    with closing(sqlite3.connect(BANK, timeout=TIMEOUT)) as bank:
        return bank.execute("SELECT name, amount FROM bookings").fetchall()


def _left() -> int:
    """Return how many messages wait in the queue, or were taken from it and not acknowledged."""
    rows: Any = lab.queues().rows
    return sum(waiting + held for queue, waiting, held in rows if queue == QUEUE)


def _clear() -> None:
    """Take away what an earlier check has left in the broker."""
    lab.redis.delete(QUEUE, HOLD, HELD, *lab.redis.scan_iter("idempotent:tasks_3_5b.*"))
    for tag, raw in lab.redis.hgetall("unacked").items():
        if json.loads(raw)[2] == QUEUE:
            lab.redis.hdel("unacked", tag)
            lab.redis.zrem("unacked_index", tag)
