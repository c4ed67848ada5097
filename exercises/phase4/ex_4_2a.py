"""Exercise 4-2a: a log handler whose database may be away."""

from contextlib import suppress

from celery.result import AsyncResult

from celerylab import lab
from celerylab.errors import Timeout
from celerylab.stack.postgres import Postgres
from celerylab.stack.waiting import wait_for
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.kept import kept
from exercises.phase4.tables import query

TITLE = "Log to a database that may be away"

TEXT = """
Complete `DatabaseHandler` in `tasks_4_2a.py`: each line that a task logs must become one row, by
`write(texts)`, which takes a list of texts and raises while the database is away.

`check` starts a worker with two processes and a real PostgreSQL. It runs {n} tasks; within {soon:g}
seconds their lines must be there. It stops PostgreSQL and runs {n} more: all must succeed, within
{quick:g} seconds together. It starts PostgreSQL again: within {soon:g} seconds all {all} lines must be
there, each once.
"""

HINTS = [
    "A task must not wait for the database. Who can, then?",
    "`emit` puts the text into a `queue.Queue`, and a daemon thread takes it out, tries, and tries again.",
    "The handler is made before the pool is forked, and threads do not live in a fork. Start the thread at "
    "the first line of each process: compare `os.getpid()` with what it was.",
]

FEEDBACK = {
    "right": "{all} lines, each once; {n} tasks ran while the database was away, and none waited for it.",
    "never": (
        "The database was there, and of {n} lines {found} arrived in {soon:g} seconds. Which process has "
        "what you started, and which process logs?"
    ),
    "failed": "While the database was away, a task ended as {state}: {error}. What did `emit` let through?",
    "waited": (
        "While the database was away, {done} of {n} tasks were done in {quick:g} seconds. In which thread "
        "does your code try?"
    ),
    "missing": (
        "The database is back since {soon:g} seconds. Of the {n} lines of the tasks that ran meanwhile, "
        "{found} are there. What became of a line when `write` raised?"
    ),
    "double": "{found} lines are there, of {all} that were logged. Was one written again that had been?",
}

MODULE = """%%writefile tasks_4_2a.py
import logging
import os
import queue
import threading
import time

import psycopg
from celery import Celery, signals
from celery.utils.log import get_task_logger

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_4_2a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-4-2a"
logger = get_task_logger(__name__)


def write(texts):
    with psycopg.connect(os.environ["LINES_URL"], connect_timeout=2) as connection:
        rows = [(text,) for text in texts]
        connection.cursor().executemany("INSERT INTO lines_4_2a VALUES (%s)", rows)


HANDLER


@signals.after_setup_task_logger.connect
def add_handler(logger, **_):
    logger.addHandler(DatabaseHandler())


@app.task
def say(text):
    logger.info(text)
"""

RIGHT = """class DatabaseHandler(logging.Handler):
    process = None

    def emit(self, record):
        if self.process != os.getpid():
            self.process, self.texts = os.getpid(), queue.Queue()
            threading.Thread(target=self.work, daemon=True).start()
        self.texts.put(record.getMessage())

    def work(self):
        while True:
            texts = [self.texts.get()]
            while not self.texts.empty():
                texts.append(self.texts.get())
            while True:
                try:
                    write(texts)
                    break
                except Exception:
                    time.sleep(0.2)"""

AT_ONCE = """class DatabaseHandler(logging.Handler):
    def emit(self, record):
        write([record.getMessage()])"""

SWALLOWED = """class DatabaseHandler(logging.Handler):
    def emit(self, record):
        try:
            write([record.getMessage()])
        except Exception:
            self.handleError(record)"""

AGAIN_AND_AGAIN = """class DatabaseHandler(logging.Handler):
    def emit(self, record):
        while True:
            try:
                return write([record.getMessage()])
            except psycopg.OperationalError:
                time.sleep(0.2)"""

BEFORE_THE_FORK = """class DatabaseHandler(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = queue.Queue()
        threading.Thread(target=self.work, daemon=True).start()

    def emit(self, record):
        self.texts.put(record.getMessage())

    def work(self):
        while True:
            text = self.texts.get()
            try:
                write([text])
            except Exception:
                self.texts.put(text)
                time.sleep(0.2)"""


def _module(handler: str) -> str:
    return MODULE.replace("HANDLER", handler)


SOLUTION = _module(RIGHT)

WRONG = {
    "failed": _module(AT_ONCE),
    "missing": _module(SWALLOWED),
    "waited": _module(AGAIN_AND_AGAIN),
    "never": _module(BEFORE_THE_FORK),
}

QUEUE = "exercise-4-2a"
N = 5
SOON = 3.0  # s
QUICK = 4.0  # s
TIMEOUT = 20.0  # s
TEXT = TEXT.format(n=N, all=2 * N, soon=SOON, quick=QUICK)


def check(answer: str) -> Outcome:
    """Run the learner's worker while its database is there, away, and back."""
    if unfinished(answer):
        return not_attempted()
    fresh(answer)
    lab.redis.delete(QUEUE)
    server = kept("PostgreSQL of 4-2a", lab.postgres).start()
    query(server, "DROP TABLE IF EXISTS lines_4_2a", "CREATE TABLE lines_4_2a (text text)")
    with lab.worker(answer, queues=[QUEUE], env={"LINES_URL": server.conninfo}) as worker:
        try:
            return _judge(answer, server)
        finally:
            server.start()
            worker.kill()


def _judge(answer: str, server: Postgres) -> Outcome:
    for result in _send(answer, "there"):
        result.get(timeout=TIMEOUT)
    if (found := _arrived(server, N)) < N:
        return not_right("never", n=N, found=found, soon=SOON)
    server.stop()
    results = _send(answer, "away")
    try:
        wait_for(N, "tasks", lambda: [each for each in results if each.ready()], QUICK)
    except Timeout:
        done = sum(each.ready() for each in results)
        return not_right("waited", done=done, n=N, quick=QUICK)
    for result in results:
        if result.state != "SUCCESS":
            return not_right("failed", state=result.state, error=repr(result.result)[:120])
    server.start()
    if (found := _arrived(server, 2 * N)) < 2 * N:
        return not_right("missing", n=N, found=found - N, soon=SOON)
    if len(found_texts := _texts(server)) > 2 * N:
        return not_right("double", found=len(found_texts), all=2 * N)
    return right(all=2 * N, n=N)


def _send(module: str, when: str) -> list[AsyncResult]:
    return [lab.client.send_task(f"{module}.say", (f"{when} {n}",), queue=QUEUE) for n in range(N)]


def _arrived(server: Postgres, wanted: int) -> int:
    """Return how many different lines there are, at the latest when time is over."""
    with suppress(Timeout):
        wait_for(wanted, "lines", lambda: sorted(set(_texts(server))), SOON)
    return len(set(_texts(server)))


def _texts(server: Postgres) -> list[str]:
    return [row[0] for row in query(server, "SELECT text FROM lines_4_2a")]
