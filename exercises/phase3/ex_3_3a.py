"""Exercise 3-3a: a task that is retried where it helps, as often as asked, and not all at once."""

import time
from datetime import UTC, datetime
from itertools import pairwise

from celery.result import AsyncResult

from celerylab import lab
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Retry what is worth it"

TEXT = """
Replace the `...` in `tasks_3_3a.py` by a task `send_order(partner, order)` that returns what `deliver` does.

- On `Busy` it is tried again, at most 5 runs in all, 0.2 to 1 s after the run before.
- On `Refused` it fails at once.
- In the end it fails with the exception of `deliver`.

`check` sends one order each to three partners: one that is busy for good, one that is busy twice, and one
that refuses. It counts their requests, and compares the times between them. It also counts the runs that
the worker knows of: a process that waits inside the task serves nobody else.
"""

HINTS = [
    "`autoretry_for`, and `retry_kwargs` as in the lesson; or `bind=True` and `self.retry`.",
    "N retries are N + 1 runs.",
    "With `self.retry`, say of which exception it is: `exc=`.",
]

FEEDBACK = {
    "right": (
        "The busy partner got {n} requests, never less than {least:g} s apart, from {n} runs. "
        "The one who refused got 1."
    ),
    "no_task": "`tasks_3_3a.py` should hold a task `send_order`. The worker knows no task of that name.",
    "runs": "A partner that is busy for good got {found} requests. There should be {expected}.",
    "not_retried": "A partner that is busy twice got {found} requests, and the order ended with {state}.",
    "asked_again": "The partner refused the order, and got it {found} times. Which errors do you retry?",
    "too_late": "The next run is to come in {seconds:.0f} s. Who decides, if the task doesn't?",
    "too_soon": "Two requests came within {least:g} s. Give a partner that is busy some time.",
    "slept": (
        "The partner got {requests} requests, but the worker knows of {found} run. The task waited in its "
        "process. Let Celery wait: then the process is free."
    ),
    "wrong_error": "The order failed with {error}. It should be the exception of `deliver`.",
    "swallowed": "A partner that is busy for good: the order ended with {state}, and the result {found!r}.",
}

MODULE = """%%writefile tasks_3_3a.py
import os

from celery import Celery

from labtasks.http import post

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_3a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-3a"


class Busy(Exception):
    pass


class Refused(Exception):
    pass


def deliver(partner, order):
    status = post(partner, {{"order": order}}).status_code
    if status == 503:
        raise Busy(f"no time for order {{order}}")
    if status == 400:
        raise Refused(f"order {{order}} is wrong")
    return f"order {{order}} is delivered"

{answer}
"""


def _module(decorator: str, body: str = "return deliver(partner, order)", first: str = "partner") -> str:
    task = f"\n@app.task({decorator})\ndef send_order({first}, order):\n    {body}"
    return MODULE.format(answer=task)


def _by_hand(retry: str) -> str:
    body = f"try:\n        return deliver(partner, order)\n    except Busy as error:\n        {retry}"
    return _module("bind=True, max_retries=4", body, "self, partner")


AUTO = 'autoretry_for=(Busy,), retry_kwargs={"max_retries": 4, "countdown": 0.3}'

SOLUTION = _module(AUTO)

WRONG = {
    "runs": [
        _module(AUTO.replace("4", "5")),
        _module('autoretry_for=(Busy,), retry_kwargs={"countdown": 0.3}'),
    ],
    "not_retried": _module(""),
    "asked_again": _module(AUTO.replace("(Busy,)", "(Exception,)")),
    "too_late": [
        _module("autoretry_for=(Busy,), max_retries=4"),
        _module("autoretry_for=(Busy,), max_retries=4, default_retry_delay=60"),
    ],
    "too_soon": _module(AUTO.replace("0.3", "0")),
    "slept": _module(
        "",
        "for attempt in range(5):\n"
        "        try:\n"
        "            return deliver(partner, order)\n"
        "        except Busy:\n"
        "            if attempt == 4:\n"
        "                raise\n"
        "            time.sleep(0.3)",
    ).replace("import os\n", "import os\nimport time\n", 1),
    "wrong_error": _by_hand("raise self.retry(countdown=0.3)"),
    "swallowed": _by_hand(
        "try:\n            self.retry(exc=error, countdown=0.3)\n"
        "        except Exception:\n            return None"
    ),
    "no_task": MODULE.format(
        answer="\n@app.task\ndef order(partner, order):\n    return deliver(partner, order)"
    ),
}

QUEUE = "exercise-3-3a"
RUNS = 5
LEAST, MOST = 0.2, 5.0  # s; the second is generous: a loaded machine must not fail anybody
TOLERANCE = 0.02  # s: of two clocks
TIMEOUT = 30.0  # s
PAUSE = 0.05  # s


def check(answer: str) -> Outcome:
    """Send an order to three partners, and look at what reached them, and when."""
    if unfinished(answer):
        return not_attempted()
    task = f"{answer}.send_order"
    lab.redis.delete(QUEUE)
    # one process: with two, the last run of a retry without delay can end before the first one's RETRY
    # is stored, and the order stays in that state
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        try:
            return _send(worker, task)
        finally:
            worker.kill()
            lab.redis.delete(QUEUE)


def _send(worker: Worker, task: str) -> Outcome:
    if task not in worker.inspect("registered"):
        return not_right("no_task")
    refusing, twice, busy = lab.webhook(status=400), lab.webhook(failures=2), lab.webhook(status=503)
    sent = {}
    for partner in (refusing, twice, busy):  # one after the other: the runs of the last are counted alone
        before = _runs(worker, task)
        result = lab.client.send_task(task, args=(partner.url, 7), queue=QUEUE)
        late = _follow(result, worker)
        if late:
            result.revoke()
            return not_right("too_late", seconds=late)
        sent[partner] = result, _runs(worker, task) - before
    result, runs = sent[busy]
    if result.state != "FAILURE":
        return not_right("swallowed", state=result.state, found=result.result)
    if len(refusing) != 1:
        return not_right("asked_again", found=len(refusing))
    recovered, _ = sent[twice]
    if len(twice) != 3 or recovered.state != "SUCCESS":
        return not_right("not_retried", found=len(twice), state=recovered.state)
    if len(busy) != RUNS:
        return not_right("runs", found=len(busy), expected=RUNS)
    if runs != RUNS:
        return not_right("slept", requests=len(busy), found=runs)
    if type(result.result).__name__ != "Busy":
        return not_right("wrong_error", error=type(result.result).__name__)
    if min(after.at - before.at for before, after in pairwise(busy)) < LEAST - TOLERANCE:
        return not_right("too_soon", least=LEAST)
    return right(n=RUNS, least=LEAST)


def _runs(worker: Worker, task: str) -> int:
    """Return how often the worker has run the task."""
    return int(worker.inspect("stats")["total"].get(task, 0))


def _follow(result: AsyncResult, worker: Worker) -> float:
    """Wait for the result; return 0, or the seconds until the next run if they are too many."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and not result.ready():
        for held in worker.inspect("scheduled"):
            seconds = (datetime.fromisoformat(held["eta"]) - datetime.now(UTC)).total_seconds()
            if seconds > MOST:
                return seconds
        time.sleep(PAUSE)
    return 0.0
