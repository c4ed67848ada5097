"""Exercise 3-4a: a task that returns a part when its time is over, and ends whatever happens."""

import contextlib
from typing import Any

from celery import exceptions

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "A part, in time"

TEXT = """
`translate_all` in `tasks_3_4a.py` translates page after page. Some pages take forever. Give it limits:

- After half a second it stops, and returns the pages that are done, with `"complete": False`.
- After two seconds it is ended, even if a page can't be interrupted.

`check` sends three jobs to a worker: pages that are quick; two quick ones and one that hangs; and a page
that doesn't let itself be interrupted.
"""

HINTS = [
    "Two options of `@app.task`, both in seconds.",
    "The soft one raises `SoftTimeLimitExceeded` where the task is at that moment. Catch that one alone.",
    "What is in `done` by then stays there.",
]

FEEDBACK = {
    "right": "Quick pages: all. One that hangs: {done}, not complete. One that can't be stopped: {end}.",
    "no_task": "`tasks_3_4a.py` should hold a task `translate_all`. The worker knows no task of that name.",
    "hung": "One of three pages hangs. {seconds:g} s later the job's state was {state}.",
    "failed": (
        "One of three pages hangs. The job ended with {state}: {error!r}. The other two pages were done, "
        "and should be returned."
    ),
    "wrong_part": (
        "One of three pages hangs. The job returned {found!r}; the other two were done, and no more. "
        "What did the task do with the exception, and what did it do then?"
    ),
    "no_end": "A page can't be interrupted. {seconds:g} s later the job's state was {state}.",
    "wrong_end": "A page can't be interrupted. The job ended with {state}: {found!r}. Nothing was done.",
    "wrong_all": "Three quick pages: the job ended with {state}, and {found!r}.",
}

MODULE = """%%writefile tasks_3_4a.py
import os
import time

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_4a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-4a"


def translate(page):
    while page == "hangs":
        time.sleep(0.02)
    while page == "stubborn":
        try:
            time.sleep(10)
        except Exception:
            continue
    return page.upper()

{answer}
"""

LOOP = """    done = []
    try:
        for page in pages:
            done.append(translate(page))
    except {caught}:
        return {{"done": done, "complete": False}}
    return {{"done": done, "complete": True}}"""
EACH = """    done = []
    for page in pages:
        try:
            done.append(translate(page))
        except Exception:
            done.append(None)
    return {"done": done, "complete": True}"""
PLAIN = """    return {"done": [translate(page) for page in pages], "complete": True}"""


def _module(limits: str, body: str = LOOP.format(caught="SoftTimeLimitExceeded")) -> str:
    return MODULE.format(answer=f"\n@app.task({limits})\ndef translate_all(pages):\n{body}")


BOTH = "soft_time_limit=0.5, time_limit=2"

SOLUTION = _module(BOTH)

WRONG = {
    "hung": _module(""),
    "failed": [_module("time_limit=2"), _module(BOTH, PLAIN)],
    "wrong_part": _module(BOTH, EACH),
    "no_end": _module("soft_time_limit=0.5"),
    "wrong_all": _module(BOTH, LOOP.format(caught="SoftTimeLimitExceeded").replace("True", "False")),
    "no_task": MODULE.format(answer="\n@app.task\ndef translate_everything(pages):\n" + PLAIN),
}

QUEUE = "exercise-3-4a"
QUICK, HANGING, DONE = ["kia", "ora", "te"], ["kia", "ora", "hangs"], ["KIA", "ORA"]
TIMEOUT = 5.0  # s


def check(answer: str) -> Outcome:
    """Send the three jobs, and look at what each comes to."""
    if unfinished(answer):
        return not_attempted()
    task = f"{answer}.translate_all"
    lab.redis.delete(QUEUE)
    # a process each: one that was killed is replaced late
    with lab.worker(answer, concurrency=3, queues=[QUEUE]) as worker:
        try:
            return _judge(task) if task in worker.inspect("registered") else not_right("no_task")
        finally:
            worker.kill()
            lab.redis.delete(QUEUE)


def _judge(task: str) -> Outcome:
    quick, hanging, stubborn = (
        _send(task, pages) for pages in (QUICK, ["kia", "ora", "hangs"], ["stubborn"])
    )
    state, found = _ended(quick)
    if (state, found) != ("SUCCESS", {"done": ["KIA", "ORA", "TE"], "complete": True}):
        return not_right("wrong_all", state=state, found=found)
    state, found = _ended(hanging)
    if state not in ("SUCCESS", "FAILURE"):
        return not_right("hung", seconds=TIMEOUT, state=state)
    if state == "FAILURE":
        return not_right("failed", state=state, error=found)
    if found != {"done": DONE, "complete": False}:
        return not_right("wrong_part", found=found)
    state, end = _ended(stubborn)
    if state not in ("SUCCESS", "FAILURE"):
        return not_right("no_end", seconds=TIMEOUT, state=state)
    if type(end).__name__ != "TimeLimitExceeded":
        return not_right("wrong_end", state=state, found=end)
    return right(done=" and ".join(DONE), end=type(end).__name__)


def _send(task: str, pages: list[str]) -> Any:
    return lab.client.send_task(task, args=(pages,), queue=QUEUE)


def _ended(result: Any) -> tuple[str, Any]:
    with contextlib.suppress(exceptions.TimeoutError):
        result.get(timeout=TIMEOUT, propagate=False)
    meta = result.backend.get_task_meta(result.id)
    return meta["status"], meta["result"]
