"""Exercise 1-3b: an app that fails at once while its broker is down."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, Task

from celerylab import lab
from celerylab.stack.broker import Broker
from exercises import Outcome, call, not_attempted, not_right, right, unfinished

TITLE = "Fail at once"

TEXT = """
Write `make_app(url)`, which returns a Celery app with `url` as its broker and its result backend.
While nothing answers there, `.delay()` must raise within 3 seconds.

`check` starts a broker, stops it, and sends one task that wants its result and one that does not.
Then it starts the broker again: the same app must send a task there, and read its result.
"""

HINTS = [
    "Each of two connections has its own rule for trying again. Which of them does your setting rule?",
    "`app.conf.result_backend_transport_options` holds the rule for the result backend.",
    'Its key is `"retry_policy"`, and `"max_retries"` in that. The app keeps its backend and its results.',
]

FEEDBACK = {
    "right": "Both calls failed at once while the broker was down, and all went well after it came back.",
    "no_app": "`make_app` returned {found}. It should return the Celery app.",
    "not_sent": (
        "The broker was down, and `.delay()` returned as if all were well. Where did the task go? "
        "The app's broker is {broker}, and task_always_eager is {eager}."
    ),
    "backend_retries": (
        "After {deadline} s the call still had not failed. The result backend had been tried {tries} times "
        "by then. Which setting says how often that is?"
    ),
    "publish_retries": (
        "The task that wants its result failed at once. The one with ignore_result=True still had not after "
        "{deadline} s: it was trying to reach the broker. Look at your settings for sending. Without "
        "Celery's retries, the transport makes its own, at longer intervals."
    ),
    "no_result": (
        "The broker was back and got the message. The task's result was {stored!r}, and reading it gave: "
        "{found} Which of your settings gave up results?"
    ),
    "lost": "The broker was back, and yet the task did not reach it: its queue held {n} messages.",
}

HEAD = """
from celery import Celery


def make_app(url):
"""

APP = '    app = Celery("shop", broker=url, backend=url)\n'
POLICY = 'app.conf.result_backend_transport_options = {"retry_policy": {"max_retries": 0}}'

SOLUTION = f"""{HEAD}{APP}    {POLICY}
    app.conf.task_publish_retry_policy = {{"max_retries": 0}}
    return app
"""

WRONG = {
    "backend_retries": [
        f"{HEAD}{APP}    app.conf.task_publish_retry = False\n    return app\n",
        f"{HEAD}{APP}    app.conf.broker_connection_max_retries = 0\n    return app\n",
        f'{HEAD}{APP}    app.conf.broker_transport_options = {{"max_retries": 0}}\n    return app\n',
    ],
    "publish_retries": f"{HEAD}{APP}    {POLICY}\n    app.conf.task_publish_retry = False\n    return app\n",
    "no_result": [
        f'{HEAD}    return Celery("shop", broker=url)\n',
        f"{HEAD}{APP}    app.conf.task_ignore_result = True\n    return app\n",
    ],
    "not_sent": f"{HEAD}{APP}    app.conf.task_always_eager = True\n    return app\n",
    "no_app": f"{HEAD}{APP}    {POLICY}\n",
}

DEADLINE = 3.0  # s
TIMEOUT = 30.0  # s
STORED = "shipped"


class _Tries(logging.Handler):
    """Counts how often the client tries its result backend again, and keeps it off the page."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.n += "Retry (" in record.getMessage()


def check(answer: Callable[[str], Celery]) -> Outcome:
    """Send with the learner's app while a broker is down, and after it came back."""
    if unfinished(answer):
        return not_attempted()
    logger = logging.getLogger("celery.backends.redis")
    tries, propagate = _Tries(), logger.propagate
    logger.addHandler(tries)
    logger.propagate = False
    try:
        with lab.broker() as broker:
            app = call(answer, broker.url)
            if not isinstance(app, Celery):
                return not_right("no_app", found=repr(app))
            task = app.task(_ship, name="ship")
            return _while_down(app, task, broker, tries) or _when_back(app, task, broker)
    finally:
        logger.removeHandler(tries)
        logger.propagate = propagate


def _ship() -> str:
    return STORED


def _while_down(app: Celery, task: "Task[Any, Any]", broker: Broker, tries: _Tries) -> Outcome | None:
    broker.stop()
    for key, options in (("backend_retries", {}), ("publish_retries", {"ignore_result": True})):
        sent: list[object] = []
        sending = threading.Thread(target=_send, args=(task, options, sent), daemon=True)
        sending.start()
        sending.join(DEADLINE)
        n = tries.n
        if sending.is_alive():
            broker.start()  # what it waits for
            sending.join(TIMEOUT)
            if key == "backend_retries" and n:
                return not_right("backend_retries", deadline=f"{DEADLINE:g}", tries=n)
            return not_right("publish_retries", deadline=f"{DEADLINE:g}")
        if sent:
            return not_right(
                "not_sent", broker=app.connection_for_write().as_uri(), eager=app.conf.task_always_eager
            )
    broker.start()
    return None


def _send(task: "Task[Any, Any]", options: dict[str, Any], sent: list[object]) -> None:
    try:
        sent.append(task.apply_async(**options))
    except Exception:  # noqa: BLE001  # that it fails is right; how is the app's own affair
        return


def _when_back(app: Celery, task: "Task[Any, Any]", broker: Broker) -> Outcome:
    result = task.delay()
    n = broker.redis().llen(app.conf.task_default_queue)
    if n != 1:
        return not_right("lost", n=n)
    # as a worker would, which this module could not be given to
    key = app.backend.get_key_for_task(result.id) if hasattr(app.backend, "get_key_for_task") else None
    if key is not None:
        app.backend.mark_as_done(result.id, STORED)
    try:
        found = result.get(timeout=5)
    except Exception as error:  # noqa: BLE001  # any is told to the learner
        found = f"{type(error).__name__}: {error}".splitlines()[0]
    return (
        right()
        if found == STORED
        else not_right("no_result", stored=STORED, found=f"{str(found).rstrip('.')}.")
    )
