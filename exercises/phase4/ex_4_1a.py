"""Exercise 4-1a: an entry with the right time for each run, in threads and in processes."""

import json
import time
from typing import Any

from celery.result import AsyncResult

from celerylab import lab
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Time every run"

TEXT = """
In `tasks_4_1a.py`, replace the `...` by signal handlers that call `keep(task_id, name, state, seconds)`
once for each run of a task. Leave the rest as it is.

- `state` is the state in which the run ended, `seconds` how long it ran.
- If the process of a run was killed, `state` is `"FAILURE"`, and `seconds` may be `None`.

`check` starts a worker of your module with two threads. One task fails. Then one task id runs twice at
the same time: the second begins {pause:g} s after the first, and the first ends first. After that a worker
with one process runs a task that fails and one that kills its process. `check` reads the list
`times-4-1a`.
"""

HINTS = [
    "What does each run have for itself, even if two runs have the same id?",
    "`task_prerun` and `task_postrun` both get `task`, and `task.request` belongs to the run. "
    "`task_postrun` gets `state` as well.",
    "For a process that was killed, `task_failure` is sent in the main process, and no `task_postrun`. "
    "Its `exception` is a `billiard.exceptions.WorkerLostError`.",
]

FEEDBACK = {
    "right": "Five runs, five entries: the two of the same id took {first:.1f} and {second:.1f} s.",
    "failed": (
        "`fail` raised an exception, and there are {found} entries for that run in {pool}, with the "
        "states: {states}. Which signal comes at the end of every run, whatever its end?"
    ),
    "twice": (
        "Two runs had the id `twice`, and {found} of them have an entry. The second began before the first "
        "ended. Where did the start of the first stand by then?"
    ),
    "wrong_time": (
        "The run that began first, and ended first, took at least {least:.2f} s. Its entry says {found} s. "
        "Whose start was taken for it?"
    ),
    "lost": (
        "The process of `crash` was killed, and there are {found} entries for that run, with the states: "
        "{states}. Which process is left to tell of it, and by which signal?"
    ),
}

PAUSE = 0.3  # s between the starts of the two runs
TEXT = TEXT.format(pause=PAUSE)

MODULE = """%%writefile tasks_4_1a.py
import json
import os
import signal
import time

from billiard.exceptions import WorkerLostError
from celery import Celery
from celery.signals import task_failure, task_postrun, task_prerun, task_success
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_4_1a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-4-1a"
redis = Redis.from_url(url)


@app.task
def hold(gate):
    redis.blpop(gate, timeout=60)


@app.task
def fail():
    raise ValueError("no such order")


@app.task
def crash():
    os.kill(os.getpid(), signal.SIGKILL)


def keep(task_id, name, state, seconds):
    entry = {"id": task_id, "name": name, "state": state, "seconds": seconds}
    redis.rpush("times-4-1a", json.dumps(entry))


HANDLERS
"""

IN_REQUEST = """@task_prerun.connect
def started(task, **_):
    task.request.began = time.perf_counter()


@task_postrun.connect
def ended(task_id, task, state, **_):
    keep(task_id, task.name, state, time.perf_counter() - task.request.began)
"""

LOST = """

@task_failure.connect
def lost(sender, task_id, exception, **_):
    if isinstance(exception, WorkerLostError):
        keep(task_id, sender.name, "FAILURE", None)
"""

IN_DICT = """start_times = {}


@task_prerun.connect
def started(task_id, **_):
    start_times[task_id] = time.time()


@task_postrun.connect
def ended(task_id, task, state, **_):
    began = start_times.pop(task_id, None)
    if began:
        keep(task_id, task.name, state, time.time() - began)
"""


def _module(handlers: str) -> str:
    return MODULE.replace("HANDLERS", handlers)


SOLUTION = _module(IN_REQUEST + LOST)

WRONG = {
    "twice": _module(IN_DICT + LOST),
    "wrong_time": _module(IN_DICT.replace("start_times.pop(task_id, None)", "start_times[task_id]") + LOST),
    "failed": [
        _module(
            IN_REQUEST.replace("task_postrun.connect", "task_success.connect").replace(
                "def ended(task_id, task, state, **_):\n    keep(task_id, task.name, state,",
                'def ended(sender, **_):\n    task = sender\n    keep(task.request.id, task.name, "SUCCESS",',
            )
            + LOST
        ),
        _module(IN_REQUEST + LOST.replace("if isinstance(exception, WorkerLostError)", "if exception")),
    ],
    "lost": _module(IN_REQUEST),
}

QUEUE, ENTRIES = "exercise-4-1a", "times-4-1a"
GATES = ("4-1a first", "4-1a second")
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Run five tasks in two pools, and read what was kept of them."""
    if unfinished(answer):
        return not_attempted()
    fresh(answer)
    lab.redis.delete(QUEUE, ENTRIES, *GATES)
    with _worker(answer, "threads", 2) as worker:
        _send(answer, "fail", "fails").get(timeout=TIMEOUT, propagate=False)
        least = _run_twice(answer, worker)
        worker.kill()
    entries = _entries()
    if problem := _judge_failed(entries, "threads") or _judge_twice(entries, least):
        return problem
    lab.redis.delete(ENTRIES)
    with _worker(answer, "prefork", 1) as worker:
        _send(answer, "fail", "fails").get(timeout=TIMEOUT, propagate=False)
        _send(answer, "crash", "crashes").get(timeout=TIMEOUT, propagate=False)
        # a state is stored before its signal is sent; whoever answers this has sent them all
        worker.until(running=0, reserved=0, timeout=TIMEOUT)
        worker.kill()
    lost = [entry for entry in _entries() if entry["id"] == "crashes"]
    if problem := _judge_failed(_entries(), "prefork"):
        return problem
    if [entry["state"] for entry in lost] != ["FAILURE"]:
        return not_right("lost", found=len(lost), states=_states(lost))
    first, second = sorted(entry["seconds"] for entry in entries if entry["id"] == "twice")
    return right(first=first, second=second)


def _run_twice(answer: str, worker: Worker) -> float:
    """Run two tasks of one id at the same time; return how long the first took at least, in seconds."""
    first, second = GATES
    _send(answer, "hold", "twice", first)
    _at_gates(1)
    began = time.perf_counter()
    time.sleep(PAUSE)  # this is what the starts differ by
    _send(answer, "hold", "twice", second)
    _at_gates(2)
    least = time.perf_counter() - began
    for running, gate in ((1, first), (0, second)):
        lab.redis.rpush(gate, "go")
        worker.until(running=running, timeout=TIMEOUT)
    return least


def _at_gates(n: int) -> None:
    """Wait until so many runs wait for their gates: they have begun, while an accepted task may not have."""
    wait_for(n, "runs", lambda: [one for one in lab.redis.client_list() if one["cmd"] == "blpop"], TIMEOUT)


def _judge_failed(entries: list[dict[str, Any]], pool: str) -> Outcome | None:
    failed = [entry for entry in entries if entry["id"] == "fails"]
    if [entry["state"] for entry in failed] == ["FAILURE"]:
        return None
    return not_right("failed", found=len(failed), pool=pool, states=_states(failed))


def _judge_twice(entries: list[dict[str, Any]], least: float) -> Outcome | None:
    seconds = [entry["seconds"] for entry in entries if entry["id"] == "twice"]
    if len(seconds) != len(GATES):
        return not_right("twice", found=len(seconds))
    if isinstance(seconds[0], float) and seconds[0] >= least:
        return None
    found = f"{seconds[0]:.2f}" if isinstance(seconds[0], float) else seconds[0]
    return not_right("wrong_time", least=least, found=found)


def _states(entries: list[dict[str, Any]]) -> str:
    return ", ".join(str(entry["state"]) for entry in entries) or "none"


def _entries() -> list[dict[str, Any]]:
    raws: Any = lab.redis.lrange(ENTRIES, 0, -1)
    return [json.loads(raw) for raw in raws]


def _worker(module: str, pool: str, concurrency: int) -> Worker:
    return lab.worker(module, pool=pool, concurrency=concurrency, queues=[QUEUE])


def _send(module: str, task: str, task_id: str, *args: object) -> AsyncResult:
    # that of an earlier run would be ready at once
    lab.client.AsyncResult(task_id).forget()
    return lab.client.send_task(f"{module}.{task}", args, task_id=task_id, queue=QUEUE)
