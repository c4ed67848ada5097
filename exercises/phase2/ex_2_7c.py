"""Exercise 2-7c: a task that says after each page how far it is."""

import contextlib
import time

from celery import exceptions
from celery.result import AsyncResult
from celery.states import READY_STATES

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Say how far you are"

TEXT = """
Replace the `...` in `tasks_2_7c.py`. After each page, `translate_all` reports the state `PROGRESS`, with
`current`, the number of pages done, and `total`, the number of all pages.

`check` sends four pages to a worker and holds up each of them at a gate. While a page is held, it reads
from the backend how far the task says it is, then opens the gate. In the end the result must be there.
"""

HINTS = [
    "`bind=True` is set, so the task can talk about itself: look at `self`.",
    "`self.update_state(state=..., meta=...)`. What is in `meta` is what others read.",
    "`len(done)` pages are done, of `len(pages)`.",
]

FEEDBACK = {
    "right": "Read while the pages were held: {seen}. Then the result.",
    "wrong_state": "When {done} of {total} pages were done, the state was {state}, with {info!r}.",
    "wrong_meta": (
        "When {done} of {total} pages were done, the state was PROGRESS, with {info!r}. "
        "Compare it with the two names and numbers that the text asks for."
    ),
    "ended": "When {done} of {total} pages were done, the state was {state}: {error}",
    "wrong_result": "All pages were done, and the task ended with {state}: {found!r}.",
    "not_begun": "Page {n} was never begun. The state is {state}.",
}

MODULE = """%%writefile tasks_2_7c.py
import os

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_7c", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-7c"
redis = Redis.from_url(url)


def translate(page):
    redis.incr("begun 2-7c")
    redis.blpop("gate 2-7c", timeout=30)
    return page.upper()


@app.task(bind=True)
def translate_all(self, pages):
    done = []
    for page in pages:
        done.append(translate(page))
        {answer}
    return done
"""


def _module(answer: str) -> str:
    return MODULE.format(answer=answer)


REPORT = 'self.update_state(state="PROGRESS", meta={"current": len(done), "total": len(pages)})'

SOLUTION = _module(REPORT)

WRONG = {
    "wrong_state": [
        _module(REPORT.replace("PROGRESS", "STARTED")),
        _module('print("PROGRESS", len(done), len(pages))'),
    ],
    "wrong_meta": [
        _module('self.update_state(state="PROGRESS")'),
        _module('self.update_state(state="PROGRESS", meta=f"{len(done)} of {len(pages)}")'),
        _module('self.update_state(state="PROGRESS", meta={"current": page, "total": len(pages)})'),
        _module(REPORT.replace("len(done)", "pages.index(page)")),
    ],
    "ended": [
        _module('self.update_state("PROGRESS", {"current": len(done), "total": len(pages)})'),
        _module('return {"state": "PROGRESS", "current": len(done), "total": len(pages)}'),
        _module(REPORT.replace("PROGRESS", "SUCCESS")),
    ],
    "wrong_result": _module(REPORT).replace("return done", "return len(done)"),
}

QUEUE = "exercise-2-7c"
BEGUN, GATE = "begun 2-7c", "gate 2-7c"
PAGES = ["kia", "ora", "te", "ao"]
RESULT = ["KIA", "ORA", "TE", "AO"]
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Let one page after the other pass, and read in between how far the task says it is."""
    if unfinished(answer):
        return not_attempted()
    lab.redis.delete(QUEUE, BEGUN, GATE)
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        result = lab.client.send_task(f"{answer}.translate_all", args=(PAGES,), queue=QUEUE)
        try:
            return _follow(result)
        finally:
            worker.kill()
            lab.redis.delete(QUEUE, BEGUN, GATE)


def _follow(result: AsyncResult) -> Outcome:
    total, seen = len(PAGES), []
    for done in range(total):
        _wait_begun(done + 1, result)
        meta = result.backend.get_task_meta(result.id)
        state, info = meta["status"], meta["result"]
        facts = {"done": done, "total": total, "state": state}
        if state in READY_STATES:
            return not_right("ended", **facts, error=repr(info))
        if int(lab.redis.get(BEGUN) or 0) <= done:
            return not_right("not_begun", n=done + 1, state=state)
        if done and state != "PROGRESS":
            return not_right("wrong_state", **facts, info=info)
        expected = {"current": done, "total": total}
        if done and not (isinstance(info, dict) and expected.items() <= info.items()):
            return not_right("wrong_meta", **facts, info=info)
        seen += [f"{done} of {total}"] if done else []
        lab.redis.rpush(GATE, "open")
    with contextlib.suppress(exceptions.TimeoutError):
        result.get(timeout=TIMEOUT, propagate=False)
    if result.result != RESULT:
        return not_right("wrong_result", state=result.state, found=result.result)
    return right(seen=", ".join(seen))


def _wait_begun(n: int, result: AsyncResult) -> None:
    """Return once the n-th page is begun, or the task has ended."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and not result.ready():
        with contextlib.suppress(Timeout):
            wait_for(n, "pages begun", lambda: range(int(lab.redis.get(BEGUN) or 0)), 0.2)
            return
