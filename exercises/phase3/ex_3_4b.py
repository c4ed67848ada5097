"""Exercise 3-4b: drafts and seats that are given back, however the task ends."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import exceptions

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Leave nothing behind"

TEXT = """
`convert` in `tasks_3_4b.py` writes a draft and takes a seat, and gives neither back. Change the module so
that both are given back when the task is done, when it raises an exception, and when it hangs and is
killed at its hard time limit. `draft_of(task_id)` and `seats` say where they are.

`check` sends a task for each of these three ends. Meanwhile a fourth one works on. Its draft and its seat
must not be touched.
"""

HINTS = [
    "Two of the three ends run a `finally`. In the third, the process hears nothing, and is killed.",
    "`on_failure` of a base class is called in the worker's main process then, with the task's id.",
    "`unlink(missing_ok=True)` removes a file that may have gone already.",
]

FEEDBACK = {
    "right": "Three tasks ended in three ways, and gave back draft and seat. The fourth kept its own.",
    "no_task": "`tasks_3_4b.py` should hold a task `convert`. The worker knows no task of that name.",
    "draft_left": "A task {end}. Its draft is still there.",
    "seat_left": "A task {end}. It still holds its seat.",
    "neighbour": "While others ended, a task worked on. {what} was taken from it.",
    "wrong_end": "A task {end}. Its state should be {expected}, and it is {state}: {found!r}.",
}

MODULE = """%%writefile tasks_3_4b.py
import os
import signal
import time
from pathlib import Path

from celery import Celery, Task
from redis import Redis

from labtasks.seats import Seats

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_4b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-3-4b"
seats = Seats(Redis.from_url(url), "exercise-3-4b", limit=4, lease=600)
folder = Path(os.environ["CELERYLAB_WORK_FOLDER"]) / "exercise-3-4b"


def draft_of(task_id):
    return folder / f"{{task_id}}.draft"


def work(film):
    if film == "broken":
        raise ValueError("broken film")
    if film == "endless":  # as in a C library that does not return: no signal is heard
        signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
    while film == "endless":
        time.sleep(0.02)
    return f"{{film}} is converted"

{answer}
"""

PLAIN = """    task_id = self.request.id
    draft_of(task_id).write_text("half a film")
    seats.take(task_id)
    return work(film)"""
FINALLY = """    task_id = self.request.id
    try:
        draft_of(task_id).write_text("half a film")
        seats.take(task_id)
        return work(film)
    finally:
        give_back(task_id)"""
GIVE_BACK = """
def give_back(task_id):
    draft_of(task_id).unlink(missing_ok=True)
    seats.give_back(task_id)
"""
BASE = """

class Tidy(Task):
    def on_failure(self, exc, task_id, args, kwargs, einfo):
        give_back(task_id)
"""


def _module(body: str, decorator: str = "bind=True, base=Tidy", before: str = GIVE_BACK + BASE) -> str:
    return MODULE.format(answer=f"{before}\n\n@app.task({decorator})\ndef convert(self, film):\n{body}")


ALL = GIVE_BACK.replace(
    "    draft_of(task_id).unlink(missing_ok=True)",
    '    for draft in folder.glob("*.draft"):\n        draft.unlink(missing_ok=True)',
)

SOLUTION = _module(FINALLY)

WRONG = {
    "draft_left": [
        _module(PLAIN, "bind=True", ""),
        _module(FINALLY, "bind=True", GIVE_BACK),
        _module(PLAIN),
        _module(FINALLY, before=GIVE_BACK + BASE.replace("on_failure", "on_retry")),
    ],
    "seat_left": _module(
        FINALLY, before=GIVE_BACK + BASE.replace("give_back(task_id)", "draft_of(task_id).unlink()")
    ),
    "neighbour": _module(FINALLY, before=ALL + BASE),
    "wrong_end": _module(
        FINALLY.replace("    finally", "    except Exception:\n        return None\n    finally")
    ),
    "no_task": _module(FINALLY).replace("def convert(", "def convert_film("),
}

QUEUE = "exercise-3-4b"
SEATS = "seats:exercise-3-4b"
LIMIT = 0.5  # s
TIMEOUT = 10.0  # s
ENDS = (
    ("was done", "film", None, "SUCCESS"),
    ("raised an exception", "broken", None, "FAILURE"),
    ("was killed at its hard time limit", "endless", LIMIT, "FAILURE"),
)
SOON = 3.0  # s that a handler may take after the result is there


def check(answer: str) -> Outcome:
    """Let tasks end in three ways beside one that works on, and look at what is left."""
    if unfinished(answer):
        return not_attempted()
    task = f"{answer}.convert"
    folder = Path(os.environ["CELERYLAB_WORK_FOLDER"]) / QUEUE
    folder.mkdir(parents=True, exist_ok=True)
    lab.redis.delete(QUEUE, SEATS)
    # a process each: one that was killed is replaced late
    with lab.worker(answer, concurrency=4, queues=[QUEUE]) as worker:
        try:
            known = worker.inspect("registered")
            return _judge(task, folder, worker) if task in known else not_right("no_task")
        finally:
            worker.kill()
            lab.redis.delete(QUEUE, SEATS)
            for draft in folder.iterdir():
                draft.unlink()


def _judge(task: str, folder: Path, worker: Worker) -> Outcome:
    neighbour = _send(task, "endless").id
    if not _soon(lambda: _left(neighbour, folder) == {"draft", "seat"}):
        return not_right("neighbour", what=" and ".join({"draft", "seat"} - _left(neighbour, folder)))
    for end, film, limit, expected in ENDS:
        result = _send(task, film, time_limit=limit)
        with contextlib.suppress(exceptions.TimeoutError):
            result.get(timeout=TIMEOUT, propagate=False)
        if result.state != expected:
            return not_right("wrong_end", end=end, expected=expected, state=result.state, found=result.result)
        _soon(lambda: not _left(result.id, folder))  # noqa: B023  # called before the next one is sent
        for what in sorted(_left(result.id, folder)):
            return not_right(f"{what}_left", end=end)
    worker.until(running=1)
    for what in {"draft", "seat"} - _left(neighbour, folder):
        return not_right("neighbour", what=f"Its {what}")
    return right()


def _send(task: str, film: str, **options: Any) -> Any:
    return lab.client.send_task(task, args=(film,), queue=QUEUE, **options)


def _left(task_id: str, folder: Path) -> set[str]:
    """Return what a task has."""
    draft, seat = (folder / f"{task_id}.draft").exists(), lab.redis.zscore(SEATS, task_id) is not None
    return {name for name, there in (("draft", draft), ("seat", seat)) if there}


def _soon(condition: Callable[[], bool]) -> bool:
    with contextlib.suppress(Timeout):
        wait_for(1, "", lambda: [True] * condition(), SOON)
        return True
    return False
