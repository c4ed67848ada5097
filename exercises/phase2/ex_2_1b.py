"""Exercise 2-1b: a call that says how it went, to whom it concerns."""

import contextlib
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from celery.result import AsyncResult

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Say how it went"

TEXT = """
Complete `take_in(book, pages, reader)` in `tasks_2_1b.py`. It sends `repair` and returns the result,
at once: it waits for nothing. If the repair goes well, the reader must be told, by `tell`, what `repair`
returned. If it fails, nobody tells the reader; `call_the_binder` is called instead. Leave the tasks as
they are.

`check` starts a worker of your module and calls `take_in` twice, once with a book of no pages.
"""

HINTS = [
    "Two options of `apply_async` say what comes after a task.",
    "`tell` takes two arguments. Which of them comes from `repair`, and which do you know already?",
    "`link=tell.s(reader)`, and a signature of `call_the_binder` for `link_error`.",
]

FEEDBACK = {
    "right": "{reader} was told {told!r}, and the binder {called!r}.",
    "no_function": "`tasks_2_1b.py` has no function `take_in`.",
    "no_result": "`take_in` returned {found!r}, and not the result of what it sent.",
    "waited": ("No worker ran, and `take_in` did not come back until one did. Its caller had to wait."),
    "not_told": "The repair returned {found!r}. {reader} was told nothing, and these tasks ran: {ran}.",
    "wrong_text": "{reader} was told {told!r}, and `repair` returned {found!r}.",
    "told_of_failure": "The repair of a book without pages failed, and {reader} was told {told!r}.",
    "not_called": "The repair of a book without pages failed with {error}, and the binder was not called.",
}

MODULE = """%%writefile tasks_2_1b.py
import os

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_1b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-1b"
redis = Redis.from_url(url)


@app.task
def repair(book, pages):
    return f"{{book}}: {{100 // pages}} minutes a page"


@app.task
def tell(text, reader):
    redis.rpush(f"told {{reader}}", text)


@app.task
def call_the_binder(request, error, traceback):
    redis.rpush("binder", f"{{request.args[0]}}: {{error}}")


def take_in(book, pages, reader):
    {body}
"""


def _module(body: str) -> str:
    return MODULE.format(body=body)


SOLUTION = _module(
    "return repair.apply_async((book, pages), link=tell.s(reader), link_error=call_the_binder.s())"
)

WRONG = {
    "not_told": [
        _module("return repair.apply_async((book, pages), link_error=call_the_binder.s())"),
        _module("return repair.apply_async((book, pages), link=tell.s(), link_error=call_the_binder.s())"),
    ],
    "wrong_text": _module(
        """return repair.apply_async(
        (book, pages), link=tell.si("done", reader), link_error=call_the_binder.s()
    )"""
    ),
    "not_called": [
        _module("return repair.apply_async((book, pages), link=tell.s(reader))"),
        _module("return (repair.s(book, pages) | tell.s(reader)).apply_async()"),
    ],
    "told_of_failure": _module(
        """return repair.apply_async(
        (book, pages), link=tell.s(reader), link_error=[call_the_binder.s(), tell.si("it failed", reader)]
    )"""
    ),
    "no_result": _module(
        "repair.apply_async((book, pages), link=tell.s(reader), link_error=call_the_binder.s())"
    ),
    "waited": _module(
        """result = repair.delay(book, pages)
    try:
        tell.delay(result.get(timeout=60), reader)
    except ZeroDivisionError:
        redis.rpush("binder", book)
    return result"""
    ),
}

QUEUE = "exercise-2-1b"
GOOD: tuple[Any, ...] = ("Emma", 50, "Ada")
BAD: tuple[Any, ...] = ("Sanditon", 0, "Grace")
REPAIRED = "Emma: 2 minutes a page"
TIMEOUT = 10.0  # s
SOON = 3.0  # s for what must come once the task is over


def check(answer: str) -> Outcome:
    """Take in two books, and look at who was told what."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "take_in"):
        return not_right("no_function")
    keys = [f"told {GOOD[2]}", f"told {BAD[2]}", "binder"]
    lab.redis.delete(QUEUE, *keys)
    with lab.watch(wait=SOON) as seen, ThreadPoolExecutor(1) as thread:
        # in a thread: no worker runs yet, and who waits for a result would wait for ever
        calls = [thread.submit(call, module.take_in, *order) for order in (GOOD, BAD)]
        waited = bool(wait(calls, timeout=SOON).not_done)
        with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
            results = [each.result(timeout=TIMEOUT) for each in calls]
            if not all(isinstance(result, AsyncResult) for result in results):
                return not_right("no_result", found=results[0])
            good, bad = (result.get(timeout=TIMEOUT, propagate=False) for result in results)
            told = _entries(keys[0])
            called = _entries(keys[2])
            worker.until(running=0, reserved=0)  # its events come after its results
    told_of_failure = _texts(keys[1])
    ran = ", ".join(run.task.rpartition(".")[2] for run in seen)
    lab.redis.delete(*keys)
    reader = GOOD[2]
    if waited:
        return not_right("waited")
    if not told:
        return not_right("not_told", found=good, reader=reader, ran=ran)
    if told[0] != REPAIRED:
        return not_right("wrong_text", told=told[0], found=REPAIRED, reader=reader)
    if told_of_failure:
        return not_right("told_of_failure", reader=BAD[2], told=told_of_failure[0])
    if not called:
        return not_right("not_called", error=repr(bad))
    return right(reader=reader, told=told[0], called=called[0])


def _entries(key: str) -> list[str]:
    """Wait a while for what is written once a task is over."""
    with contextlib.suppress(Timeout):
        wait_for(1, "entries", lambda: lab.redis.lrange(key, 0, -1), SOON)
    return _texts(key)


def _texts(key: str) -> list[str]:
    return [entry.decode() if isinstance(entry, bytes) else entry for entry in lab.redis.lrange(key, 0, -1)]
