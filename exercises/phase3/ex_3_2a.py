"""Exercise 3-2a: which messages survive an outage of the workers, judged by what ran."""

import time
from collections import Counter
from typing import Any

from celerylab import lab
from celerylab.stack.waiting import PAUSE
from celerylab.views.queues import Message
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Come back to a full queue"

TEXT = """
In `tasks_3_2a.py`, replace each `...: ...` by what the entry needs, or by nothing:

- `price` fetches a price, five times a second. Once the next one is due, an old one shall not run any more.
- `invoice` writes an invoice. However late a worker comes, each one that was sent must run.

`check` starts your Beat and no worker, until four prices and two invoices lie in the queue. It stops
Beat, waits for half a second, and starts a worker. All invoices must run, and none of these prices. It also
looks at how long a price is valid: one that comes in time must run.
"""

HINTS = [
    "What an entry's message is told beside its arguments stands under one key.",
    'The key is `"options"`, and its value a dictionary: what would `apply_async` be told?',
    "An invoice that never expires needs no option at all.",
]

FEEDBACK = {
    "right": "{prices} prices had expired and were thrown away; all {invoices} invoices ran.",
    "no_entry": "`app.conf.beat_schedule` should have the entries 'price' and 'invoice'. It has: {names}.",
    "not_sent": (
        "In {seconds:g} seconds Beat sent {prices} prices and {invoices} invoices. Its last error: {error}"
    ),
    "old_prices": (
        "Of {n} prices that waited for half a second and more, {ran} ran when the worker came. Their "
        "messages are valid for {valid}."
    ),
    "lost_invoices": "Of {n} invoices, {lost} did not run: {states}. Their messages are valid for {valid}.",
    "too_short": (
        "No old price ran. But a price is valid for {valid} only, and the next is due after 0.2 s: "
        "one that a busy worker takes a little later than at once is thrown away, too."
    ),
}

MODULE = """%%writefile tasks_3_2a.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_2a", broker=url, backend=url)
app.conf.task_default_queue = "tasks_3_2a"
app.conf.beat_schedule = {
    "price": {"task": "tasks_3_2a.price", "schedule": 0.2PRICE},
    "invoice": {"task": "tasks_3_2a.invoice", "schedule": 0.5INVOICE},
}


@app.task
def price():
    return 130


@app.task
def invoice():
    return "written"
"""


def _module(price: str = "", invoice: str = "") -> str:
    filled = [f", {each}" if each else "" for each in (price, invoice)]
    return MODULE.replace("PRICE", filled[0]).replace("INVOICE", filled[1])


PRICE = '"options": {"expires": 0.2}'

SOLUTION = _module(PRICE)

WRONG = {
    "old_prices": [
        _module('"options": {"expires": 60}'),
        _module('"kwargs": {}, "options": {"expiry": 0.2}'),
    ],
    "lost_invoices": _module(PRICE, '"options": {"expires": 0.5}'),
    "too_short": _module('"options": {"expires": 0.01}'),
    "not_sent": _module('"kwargs": {"expires": 0.2}'),
    "raised": _module('"expires": 0.2'),
}

QUEUE = "tasks_3_2a"
PRICES, INVOICES = 4, 2
SECONDS = 15.0
WAITED = 0.5  # s, longer than a price is worth
SHORTEST = 0.15  # s, that a price must be valid


def check(answer: str) -> Outcome:
    """Let messages wait for a second, then see which of them run."""
    if unfinished(answer):
        return not_attempted()
    app = getattr(fresh(answer), "app", None)
    entries = app.conf.beat_schedule if app else {}
    if not {"price", "invoice"} <= set(entries):
        return not_right("no_entry", names=", ".join(entries) or "none")
    lab.redis.delete(QUEUE)
    try:
        return _sent(answer) or _ran(answer, _messages())
    finally:
        lab.redis.delete(QUEUE)


def _sent(answer: str) -> Outcome | None:
    """Let Beat send; say what is missing if it does not."""
    beat = lab.beat(answer)
    deadline = time.monotonic() + SECONDS
    error = ""
    n: Counter[str] = Counter()
    while (n["price"] < PRICES or n["invoice"] < INVOICES) and not error and time.monotonic() < deadline:
        time.sleep(PAUSE)
        n = Counter(_kind(message) for message in _messages())
        error = next((line for line in beat.log("Couldn't apply", last=1)), "")
    beat.kill()
    if n["price"] >= PRICES and n["invoice"] >= INVOICES:
        return None
    return not_right(
        "not_sent", seconds=SECONDS, prices=n["price"], invoices=n["invoice"], error=error or "none"
    )


def _ran(answer: str, messages: list[Message]) -> Outcome:
    time.sleep(WAITED)  # what is judged is what waited
    results = {message.headers["id"]: lab.client.AsyncResult(message.headers["id"]) for message in messages}
    with lab.worker(answer, name="late", concurrency=1, queues=[QUEUE]) as worker:
        deadline = time.monotonic() + SECONDS
        while not all(each.ready() for each in results.values()) and time.monotonic() < deadline:
            time.sleep(PAUSE)
        worker.kill()
    states: dict[str, list[str]] = {"price": [], "invoice": []}
    valid: dict[str, str] = {}
    for message in messages:
        kind = _kind(message)
        states[kind].append(results[message.headers["id"]].state)
        valid[kind] = _valid(message.properties)
    lost = [state for state in states["invoice"] if state != "SUCCESS"]
    if ran := states["price"].count("SUCCESS"):
        return not_right("old_prices", n=len(states["price"]), ran=ran, valid=valid["price"])
    if lost:
        said = ", ".join(sorted(set(lost)))
        return not_right(
            "lost_invoices", n=len(states["invoice"]), lost=len(lost), states=said, valid=valid["invoice"]
        )
    shortest = min(_seconds(message.properties) for message in messages if _kind(message) == "price")
    if shortest < SHORTEST:
        return not_right("too_short", valid=valid["price"])
    return right(prices=len(states["price"]), invoices=len(states["invoice"]))


def _messages() -> list[Message]:
    return [Message(raw) for raw in lab.redis.lrange(QUEUE, 0, -1)]


def _kind(message: Message) -> str:
    return str(message.headers["task"]).rpartition(".")[2]


def _seconds(properties: dict[str, Any]) -> float:
    return float(properties.get("expiration", "inf")) / 1000


def _valid(properties: dict[str, Any]) -> str:
    seconds = _seconds(properties)
    return "ever" if seconds == float("inf") else f"{seconds:g} s"
