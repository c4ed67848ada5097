"""Exercise 1-5a: settings of an app, from its module and from the environment."""

import os
from unittest.mock import patch

from celery import Celery
from celery.exceptions import TimeoutError as NoResult

from celerylab import lab
from exercises import Outcome, learners_code, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Configure a shop"

TEXT = """
`parcels_1_5a.py` has a task, `parcels_1_5a.weigh`. Complete `tasks_1_5a.py`, the app, so that

- its broker and its result backend are at the address in `CELERYLAB_BROKER_URL`;
- it uses the queue whose name is in the variable `SHOP_QUEUE`, or `parcels` if there is no such
  variable;
- results are kept for one hour;
- a worker of `tasks_1_5a` knows the task.

`check` loads the app without `SHOP_QUEUE`. Then it starts a worker with `SHOP_QUEUE` set. It asks
the worker for its tasks and its queue, sends it `weigh`, and looks how long the result is kept.
"""

HINTS = [
    "The lesson's second `settings_1_5.py` has all the names that you need.",
    'Of a variable that may be missing, `os.environ.get("NAME", "otherwise")` asks.',
    "`broker_url`, `result_backend`, `task_default_queue`, `result_expires` (seconds) and `include`.",
]

FEEDBACK = {
    "right": (
        "The worker consumed the queue that the variable named, knew the task, and its result is kept for "
        "one hour. Without the variable the queue is parcels."
    ),
    "no_app": "`tasks_1_5a.py` has no `app` that is a Celery app.",
    "wrong_default": (
        "Without SHOP_QUEUE in the environment the app's queue is {found!r}; it should be {expected!r}."
    ),
    "wrong_queue": (
        "The worker was started with SHOP_QUEUE={expected}, and it consumes {found}. Where does your app get "
        "the queue's name from?"
    ),
    "not_registered": (
        "The worker does not know parcels_1_5a.weigh. The tasks it knows: {tasks}. Who tells it to import "
        "that module?"
    ),
    "no_result": (
        "The worker was sent the task, and no result came into the broker's Redis. The worker's result "
        "backend is {backend}."
    ),
    "wrong_expiry": (
        "The result has {found} seconds to live, and an hour has {expected}. Compare the name of your "
        "setting, letter by letter, with Celery's; and its unit."
    ),
}

PARCELS = """%%writefile parcels_1_5a.py
from celery import shared_task


@shared_task
def weigh(parcels):
    return sum(parcels)
"""

MODULE = """%%writefile tasks_1_5a.py
import os

from celery import Celery

app = Celery("tasks_1_5a")
app.conf.update(
    broker_url=os.environ["CELERYLAB_BROKER_URL"],
    result_backend=os.environ["CELERYLAB_BROKER_URL"],
    task_default_queue=os.environ.get("SHOP_QUEUE", "parcels"),
    result_expires=3600,
    include=["parcels_1_5a"],
)
"""


def _cells(before: str = "", after: str = "") -> str:
    return f"{PARCELS}# %%\n{MODULE.replace(before, after) if before else MODULE}"


SOLUTION = _cells()

WRONG = {
    "wrong_default": _cells('os.environ.get("SHOP_QUEUE", "parcels")', 'os.environ.get("SHOP_QUEUE")'),
    "raised": _cells('os.environ.get("SHOP_QUEUE", "parcels")', 'os.environ["SHOP_QUEUE"]'),
    "wrong_queue": _cells('os.environ.get("SHOP_QUEUE", "parcels")', '"parcels"'),
    "not_registered": [
        _cells('    include=["parcels_1_5a"],\n'),
        _cells("include=", "includes="),
    ],
    "no_result": _cells('    result_backend=os.environ["CELERYLAB_BROKER_URL"],\n'),
    "wrong_expiry": [
        _cells("result_expires=", "result_expire="),
        _cells("3600", "60"),
    ],
}

TASK = "parcels_1_5a.weigh"
DEFAULT, QUEUE = "parcels", "exercise-1-5a"
HOUR = 3600  # s
SLACK = 300  # s; between storing the result and looking at it
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Load the learner's app, then start a worker of it and see what it consumes, knows and stores."""
    if unfinished(answer):
        return not_attempted()
    with patch.dict(os.environ):
        os.environ.pop("SHOP_QUEUE", None)
        app = getattr(fresh(answer), "app", None)
        if not isinstance(app, Celery):
            return not_right("no_app")
        with learners_code():
            found = app.conf.task_default_queue  # settings are read when the first is asked for
    if found != DEFAULT:
        return not_right("wrong_default", found=found, expected=DEFAULT)
    with lab.worker(answer, concurrency=1, env={"SHOP_QUEUE": QUEUE}) as worker:
        outcome = _judge(worker.node)
        worker.kill()
    return outcome


def _judge(node: str) -> Outcome:
    inspect = lab.client.control.inspect(destination=[node], timeout=TIMEOUT)
    queues = [queue["name"] for queue in inspect.active_queues()[node]]
    if queues != [QUEUE]:
        return not_right("wrong_queue", found=", ".join(queues), expected=QUEUE)
    tasks = inspect.registered()[node]
    if TASK not in tasks:
        return not_right("not_registered", tasks=", ".join(tasks) or "none")
    result = lab.client.send_task(TASK, args=([1, 2],), queue=QUEUE)
    backend = inspect.conf()[node].get("result_backend")
    try:
        if backend:
            result.get(timeout=TIMEOUT)
    except NoResult:
        backend = "at another address"
    left = lab.redis.ttl(f"celery-task-meta-{result.id}")
    if not result.ready():
        return not_right("no_result", backend=backend)
    if not HOUR - SLACK < left <= HOUR:
        return not_right("wrong_expiry", found=left, expected=HOUR)
    return right()
