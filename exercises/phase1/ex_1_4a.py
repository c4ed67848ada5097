"""Exercise 1-4a: settings with which a short task is never kept by a busy worker."""

from uuid import uuid4

from celery.result import AsyncResult

from celerylab import lab
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Keep short tasks moving"

TEXT = """
Replace the `...` in `tasks_1_4a.py` by settings with which a busy worker keeps no short task from
an idle one. Leave the tasks as they are.

`check` starts two workers of your module, named `busy` and `idle`, with `--concurrency=1` and no
other option. `busy` gets a long task, then three short ones; then `idle` starts. All three must
end while the long task still runs, and all four must end well.
"""

HINTS = [
    "Each option of the command line has a setting: `--prefetch-multiplier` is `worker_prefetch_multiplier`.",
    "Settings are attributes of `app.conf`. A misspelt one is accepted and has no effect.",
    "One setting is enough: the one behind `--disable-prefetch`.",
]

FEEDBACK = {
    "right": "busy@lab held nothing in reserve, and all {n} short tasks ended while its long task ran.",
    "took_all": (
        "busy@lab ran the long task and held all {n} short ones in reserve; idle@lab found an empty queue. "
        "The prefetch count of busy@lab is {prefetch}, where 0 means no limit. Does your setting reach the "
        "worker under the name that Celery knows?"
    ),
    "took_some": (
        "busy@lab ran the long task and held {held} of {n} short ones in reserve; idle@lab ran the others. "
        "When is the message of the long task acknowledged, and what does the prefetch count of {prefetch} "
        "allow beside it?"
    ),
    "failed": "No short task was kept waiting, but {n} of the tasks ended with {state}: {why!r}",
}

MODULE = """%%writefile tasks_1_4a.py
import os
import time

from celery import Celery
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_1_4a", broker=url, backend=url)
redis = Redis.from_url(url)
{settings}


@app.task
def wait_for(gate):
    while not redis.exists(gate):
        time.sleep(0.05)
    return gate


@app.task
def short(n):
    return n
"""

SOLUTION = MODULE.format(settings="app.conf.worker_disable_prefetch = True")

WRONG = {
    "took_all": [
        MODULE.format(settings="app.conf.worker_prefetch_multiplier = 0"),
        MODULE.format(settings="app.worker_disable_prefetch = True"),
        MODULE.format(settings="app.conf.prefetch_multiplier = 1"),
        MODULE.format(settings="app.conf.worker_concurrency = 4"),
    ],
    "took_some": MODULE.format(settings="app.conf.worker_prefetch_multiplier = 1"),
    "failed": SOLUTION.replace("@app.task\ndef short", "def short"),
}

QUEUE = "exercise-1-4a"
N_SHORT = 3
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Keep one worker busy, start an idle one, and see which of them has the short tasks."""
    if unfinished(answer):
        return not_attempted()
    gate = f"{QUEUE}-{uuid4()}"
    with _worker(answer, "busy") as busy:
        long = _send(answer, "wait_for", gate)
        busy.until(running=1)
        shorts = [_send(answer, "short", n) for n in range(N_SHORT)]
        inspect = lab.client.control.inspect(destination=[busy.node], timeout=TIMEOUT)

        def settled() -> list[str]:
            kept = [task["id"] for task in inspect.reserved()[busy.node]]
            return kept + [short.id for short in shorts if short.id not in kept and short.ready()]

        with _worker(answer, "idle") as idle:
            wait_for(N_SHORT, "short tasks that are done or in reserve", settled, TIMEOUT)
            held = N_SHORT - sum(short.ready() for short in shorts)
            prefetch = inspect.stats()[busy.node]["prefetch_count"]
            lab.redis.set(gate, "open", ex=60)
            for result in (long, *shorts):
                result.get(timeout=TIMEOUT, propagate=False)
            idle.kill()
        busy.kill()
    if held:
        key = "took_all" if held == N_SHORT else "took_some"
        return not_right(key, held=held, n=N_SHORT, prefetch=prefetch)
    failed = [result for result in (long, *shorts) if result.state != "SUCCESS"]
    if failed:
        return not_right("failed", n=len(failed), state=failed[0].state, why=failed[0].result)
    return right(n=N_SHORT)


def _worker(module: str, name: str) -> Worker:
    return lab.worker(module, concurrency=1, queues=[QUEUE], name=name)


def _send(module: str, task: str, argument: object) -> AsyncResult:
    return lab.client.send_task(f"{module}.{task}", args=(argument,), queue=QUEUE)
