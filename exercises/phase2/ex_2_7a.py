"""Exercise 2-7a: a task that becomes a chord, instead of waiting for its batches."""

import contextlib
import json

from celery import exceptions
from celery.result import AsyncResult, GroupResult

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from celerylab.views.runs import Run
from celerylab.views.watch import Watch
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Count without waiting"

TEXT = """
Complete `count_all(texts, size)` in `tasks_2_7a.py`. Its result is the number of words in all texts.
Each batch is counted by a `count_words` task of its own, and nobody knows before it runs how many
batches there are. Leave the other two tasks as they are.

`check` starts a worker with one process, sends `count_all` with seven texts and a size of three, and
gets the result by the id of `count_all`. It must be there within 10 seconds.
"""

HINTS = [
    "The worker has one process. Where is `count_all` while the batches are counted?",
    "A chord runs a header, and then a body with the list of what the header returned.",
    "`self.replace` takes a signature, and gives it the id of this task.",
]

FEEDBACK = {
    "right": (
        "count_all became {n} tasks count_words and one task total, on one process. Its id has the result: "
        "{found} words."
    ),
    "blocked": (
        "After {seconds:g} s there was no result. The only process ran {running}; in reserve lay {reserved}. "
        "What does each of the two wait for?"
    ),
    "lost": (
        "After {seconds:g} s there was no result, and the worker had nothing to do. Its log says: {log} "
        "What did count_all give to the workflow?"
    ),
    "failed": "count_all ended with {state}: {error}",
    "alone": (
        "The result is right, and the lab saw these tasks run: {ran}. The batches were counted inside "
        "count_all, one after the other, however many processes there are."
    ),
    "not_its_result": (
        "{words} words were counted, but the result of count_all is {found}. The number is the result of "
        "another task, whose id the sender does not know."
    ),
    "wrong": "The result of count_all is {found}; the texts have {words} words. These tasks ran: {ran}.",
}

MODULE = """%%writefile tasks_2_7a.py
import os

from celery import Celery, chain, chord, group
{more}
url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_7a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-7a"


@app.task
def count_words(texts):
    return sum(len(text.split()) for text in texts)


@app.task
def total(counts):
    return sum(counts)


@app.task(bind=True)
def count_all(self, texts, size):
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    {answer}
"""


def _module(answer: str, more: str = "") -> str:
    return MODULE.format(answer=answer, more=more)


SOLUTION = _module("raise self.replace(chord([count_words.s(batch) for batch in batches], total.s()))")

JOIN = """with allow_join_result():
        return sum(count_words.delay(batch).get() for batch in batches)"""
WRONG = {
    "blocked": [
        _module("return sum(count_words.delay(b).get(disable_sync_subtasks=False) for b in batches)"),
        _module(JOIN, "from celery.result import allow_join_result\n"),
    ],
    "failed": [
        _module("return sum(count_words.delay(batch).get() for batch in batches)"),
    ],
    "lost": _module("return self.replace(chord([count_words(batch) for batch in batches], total.s()))"),
    "alone": [
        _module("return sum(count_words(batch) for batch in batches)"),
        _module("raise self.replace(total.s([count_words(batch) for batch in batches]))"),
    ],
    "not_its_result": [
        _module("return chord([count_words.s(batch) for batch in batches])(total.s())"),
        _module("chord([count_words.s(batch) for batch in batches])(total.s())"),
        _module("(group(count_words.s(batch) for batch in batches) | total.s()).delay()"),
    ],
    "wrong": [
        _module("raise self.replace(group(count_words.s(batch) for batch in batches))"),
        _module("return [count_words.delay(batch).id for batch in batches]"),
    ],
}

QUEUE = "exercise-2-7a"
NOTHING = "nothing"
TEXTS = ["one", "two words", "three words here", "", "one", "two words", "a text of five words"]
SIZE = 3
WORDS = 14
BATCHES = 3
TIMEOUT = 10.0  # s
PATIENCE = 5.0  # s, for what may never come


def check(answer: str) -> Outcome:
    """Send the task to a worker of one process, and see which tasks ran and who has the result."""
    if unfinished(answer):
        return not_attempted()
    _clear()
    with (
        lab.worker(answer, name="one-2-7a", concurrency=1, queues=[QUEUE]) as worker,
        lab.watch(wait=0) as seen,
    ):
        result = lab.client.send_task(f"{answer}.count_all", args=(TEXTS, SIZE), queue=QUEUE)
        with contextlib.suppress(exceptions.TimeoutError):
            result.get(timeout=TIMEOUT, propagate=False)
        if result.ready():
            _settle(result, seen)
        else:
            held = _held(worker)
            log = str(worker.log("ERROR", last=1))
            worker.kill()
    _clear()
    if not result.ready():
        if held["running"] == NOTHING:
            return not_right("lost", seconds=TIMEOUT, log=log)
        return not_right("blocked", seconds=TIMEOUT, **held)
    return _judge(result, seen.runs)


def _judge(result: AsyncResult, runs: list[Run]) -> Outcome:
    ran = [_name(run.task) for run in runs if run.started is not None]
    shown = ", ".join(ran)
    if result.failed():
        return not_right("failed", state=result.state, error=_first_line(result.result))
    found = result.result
    if found != WORDS:
        if "total" in ran:
            return not_right("not_its_result", words=WORDS, found=_short(found))
        return not_right("wrong", found=_short(found), words=WORDS, ran=shown)
    if ran.count("count_words") != BATCHES:
        return not_right("alone", ran=shown)
    return right(n=BATCHES, found=found)


def _settle(result: AsyncResult, seen: Watch) -> None:
    """Wait for what the task has sent and not waited for."""
    with contextlib.suppress(Timeout, exceptions.TimeoutError):
        for child in result.children or []:
            child.get(timeout=TIMEOUT, propagate=False)
            if isinstance(child, GroupResult):  # of a chord, whose body comes after
                wait_for(1, "bodies", lambda: [run for run in seen if _name(run.task) == "total"], PATIENCE)
        wait_for(1, "ends", lambda: [1] if all(run.final for run in seen) else [], PATIENCE)


def _held(worker: Worker) -> dict[str, str]:
    inspect = lab.client.control.inspect(destination=[worker.node], timeout=TIMEOUT)
    running, reserved = inspect.active(), inspect.reserved()
    return {"running": _names(running[worker.node]), "reserved": _names(reserved[worker.node])}


def _names(tasks: list[dict[str, str]]) -> str:
    return ", ".join(_name(task["name"]) for task in tasks) or NOTHING


def _name(task: str) -> str:
    return task.rpartition(".")[2]


def _first_line(error: object) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _short(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _clear() -> None:
    """Take away what an earlier check has left in the broker."""
    lab.redis.delete(QUEUE)
    for tag, raw in lab.redis.hgetall("unacked").items():
        if json.loads(raw)[2] == QUEUE:
            lab.redis.hdel("unacked", tag)
            lab.redis.zrem("unacked_index", tag)
