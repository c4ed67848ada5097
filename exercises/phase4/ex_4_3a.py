"""Exercise 4-3a: an application context of its own for every task."""

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Give every task a context of its own"

TEXT = """
Complete `init_celery(app)` in `tasks_4_3a.py`. It returns a Celery app, configured by `app.config["CELERY"]`,
whose tasks run in the application context of `app`.

- Each run of a task has a new context: nothing in `g` is left of the run before.
- Each context is closed at the end of its run, so that `close_connections` is called.

`check` runs your module in a worker with threads, and sends each of the two tasks a few times.
"""

HINTS = [
    "`Celery(..., task_cls=...)`, with a class whose `__call__` opens the context.",
    "In `__call__`, run the task with `self.run(*args, **kwargs)`.",
]

FEEDBACK = {
    "right": "{n} runs, each with the shop's context, with an empty `g`, and closed.",
    "no_context": "`{name}` found no application context. Who opens one when a thread of the worker runs it?",
    "shared_context": (
        "`visits` counts in `g`, and returned {found} in {n} runs. Something is left of the run before. "
        "Where is the context made?"
    ),
    "left_open": (
        "{n} runs opened a context each, and `close_connections` was called {found} times. A connection that "
        "nobody closes is lost to others."
    ),
    "failed": "`{name}` failed with {error}.",
}

MODULE = """%%writefile tasks_4_3a.py
import os

from celery import Celery, Task, shared_task
from flask import Flask, current_app, g
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
shop = Flask("shop")
shop.config["CELERY"] = {{"broker_url": url, "result_backend": url, "task_default_queue": "exercise-4-3a"}}


@shop.teardown_appcontext
def close_connections(error):
    Redis.from_url(url).incr("exercise-4-3a-closed")


@shared_task
def name_of_the_shop():
    return current_app.name


@shared_task
def visits():
    g.visits = g.get("visits", 0) + 1
    return g.visits


def init_celery(app):
    {body}


app = init_celery(shop)
"""


def _module(
    call: str = "with app.app_context():\n                return self.run(*args, **kwargs)",
    before: str = "",
) -> str:
    return MODULE.format(
        body=f"""{before}class FlaskTask(Task):
        def __call__(self, *args, **kwargs):
            {call}

    celery = Celery(app.name, task_cls=FlaskTask)
    celery.config_from_object(app.config["CELERY"])
    return celery"""
    )


SOLUTION = _module()

WRONG = {
    "no_context": [
        MODULE.format(
            body="""celery = Celery(app.name)
    celery.config_from_object(app.config["CELERY"])
    app.app_context().push()
    return celery"""
        ),
        MODULE.format(
            body="""celery = Celery(app.name)
    celery.config_from_object(app.config["CELERY"])
    return celery"""
        ),
    ],
    "shared_context": _module(
        call="with context:\n                return self.run(*args, **kwargs)",
        before="context = app.app_context()\n\n    ",
    ),
    "left_open": _module(call="app.app_context().push()\n            return self.run(*args, **kwargs)"),
}

QUEUE = "exercise-4-3a"
CLOSED = "exercise-4-3a-closed"
RUNS = 4
TIMEOUT = 10.0  # s


def check(answer: str) -> Outcome:
    """Run each task a few times, in threads, which inherit no context."""
    if unfinished(answer):
        return not_attempted()
    lab.redis.delete(QUEUE, CLOSED)
    # one thread: two would fight over a context that they share
    with lab.worker(answer, pool="threads", concurrency=1, queues=[QUEUE]) as worker:
        try:
            return _send(answer)
        finally:
            worker.kill()
            lab.redis.delete(QUEUE, CLOSED)


def _send(module: str) -> Outcome:
    visits: list[int] = []
    for short in ("name_of_the_shop", "visits"):
        results = [lab.client.send_task(f"{module}.{short}", queue=QUEUE) for _ in range(RUNS)]
        for result in results:
            value = result.get(timeout=TIMEOUT, propagate=False)
            if isinstance(value, Exception):
                if "application context" in str(value):
                    return not_right("no_context", name=short)
                return not_right("failed", name=short, error=f"{type(value).__name__}: {value}")
        visits = [result.result for result in results]  # of the last task
    if set(visits) != {1}:
        return not_right("shared_context", found=sorted(visits), n=RUNS)
    if (closed := int(lab.redis.get(CLOSED) or 0)) < 2 * RUNS:
        return not_right("left_open", found=closed, n=2 * RUNS)
    return right(n=2 * RUNS)
