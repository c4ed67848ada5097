"""Exercise 4-2b: a watchdog that finds the dead and spares the living."""

import threading
import time
from collections.abc import Callable
from typing import Any

from celerylab import lab
from celerylab.stack.owner import owner
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from exercises import Outcome, call, learners_code, not_attempted, not_right, right, unfinished
from exercises.kept import kept

TITLE = "Find the dead, spare the living"

TEXT = """
Write `mark_lost(engine)`. It sets the state of each task to `LOST` that runs (`STARTED`) and whose worker
is dead, and returns their ids, as a list. A worker is dead if its lease was not renewed for
{lease:g} seconds: the table `worker_leases` has `seen_at`, in seconds since 1970, for each `instance`; the
table `celery_task_records` has `task_id`, `state`, `started_at`, `worker` and `instance`. An instance is
one run of a worker; a worker that is started again has the old name and a new instance.

`check` uses a real database of real workers. One was killed with tasks in its hands, and started again.
Another one runs a slow task for an hour. A task of the killed one ends just before your first `UPDATE`.
Last, four watchdogs look at the same moment: each task may be found by one of them only.
"""

HINTS = [
    "How long a task runs says nothing about its worker. Which table does?",
    "Two tables have an `instance`. `task.instance = lease.instance` brings them together.",
    "Between your `SELECT` and your `UPDATE` anything may happen. Say in the `UPDATE`'s own `WHERE` which "
    "state the record must still have; `rowcount` tells whether it had it.",
]

FEEDBACK = {
    "right": "{found} were found, each once; the slow task runs, and what had ended stays as it is.",
    "not_a_list": "`mark_lost` returned {found}. A list of ids was expected.",
    "living": "Among the lost ones is {found}. Its worker lives. What did you take for a sign of death?",
    "missed": (
        "The worker of {missing} was killed. Your watchdog did not find it. A worker of the same name "
        "lives: is it the same one?"
    ),
    "overwritten": (
        "`ended` succeeded just before your first `UPDATE`. Afterwards its state is {state}, and you "
        "{returned} it. What did your `UPDATE` ask for?"
    ),
    "unmarked": "{missing} was returned, and its state is still {state}. Was anything committed?",
    "twice": "Four watchdogs at the same moment found {found} tasks, {n} were lost. What says `rowcount`?",
}

STARTER = """import time

from sqlalchemy import text


def mark_lost(engine):
BODY
"""

RIGHT = '''    with engine.begin() as connection:
        found = connection.execute(
            text("""
                SELECT task_id FROM celery_task_records AS task JOIN worker_leases AS lease
                ON task.instance = lease.instance WHERE state = 'STARTED' AND seen_at < :before
            """),
            {"before": time.time() - 2},
        ).scalars().all()
    lost = []
    for task_id in found:
        with engine.begin() as connection:
            marked = connection.execute(
                text("""
                    UPDATE celery_task_records SET state = 'LOST'
                    WHERE task_id = :task_id AND state = 'STARTED'
                """),
                {"task_id": task_id},
            )
            if marked.rowcount:
                lost.append(task_id)
    return lost'''

BY_AGE = RIGHT.replace("seen_at < :before", "started_at < :before")
BY_NAME = '''    with engine.begin() as connection:
        found = connection.execute(
            text("""
                SELECT task_id FROM celery_task_records WHERE state = 'STARTED' AND worker NOT IN
                (SELECT worker FROM worker_leases WHERE seen_at >= :before)
            """),
            {"before": time.time() - 2},
        ).scalars().all()
        for task_id in found:
            connection.execute(
                text("""
                    UPDATE celery_task_records SET state = 'LOST'
                    WHERE task_id = :i AND state = 'STARTED'
                """),
                {"i": task_id},
            )
    return list(found)'''
NO_CONDITION = RIGHT.replace("WHERE task_id = :task_id AND state = 'STARTED'", "WHERE task_id = :task_id")
NO_COUNT = RIGHT.replace(
    "            if marked.rowcount:\n                lost.append", "            lost.append"
)


def _answer(body: str) -> str:
    return STARTER.replace("BODY", body)


SOLUTION = _answer(RIGHT)

WRONG = {
    "living": _answer(BY_AGE),
    "missed": _answer(BY_NAME),
    "overwritten": [_answer(NO_CONDITION), _answer(NO_COUNT)],
    "unmarked": _answer(RIGHT.replace("with engine.begin()", "with engine.connect()")),
    "not_a_list": _answer(RIGHT.replace("    return lost", "    return len(lost)")),
}

LEASE = 2.0  # s
QUEUE = "exercise-4-2b"
MODULE = "labtasks.app:app"
DOOMED = ("doomed 1", "doomed 2", "ended")
SLOW = "slow"
TIMEOUT = 20.0  # s
TABLES = ("celery_task_records", "worker_leases")
PATIENT = {"timeout": 20}
TEXT = TEXT.format(lease=LEASE)

Rows = dict[str, list[dict[str, Any]]]


def check(answer: Callable[[Any], list[str]]) -> Outcome:
    """Let the learner's watchdog look at what real workers have left, and at nothing else."""
    if unfinished(answer):
        return not_attempted()
    from sqlalchemy import create_engine

    url, rows = kept("records of 4-2b", _prepare)
    engine = create_engine(url, connect_args=PATIENT)
    try:
        _restore(engine, rows)
        if outcome := _judge_one(answer, engine, url):
            return outcome
        _restore(engine, rows)
        return _judge_four(answer, engine)
    finally:
        engine.dispose()


def _judge_one(answer: Callable[[Any], list[str]], engine: Any, url: str) -> Outcome | None:
    from sqlalchemy import create_engine, event

    other = create_engine(url, connect_args=PATIENT)
    done = threading.Event()

    def end_one(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() == "UPDATE" and not done.is_set():
            done.set()
            _run(other, "UPDATE celery_task_records SET state = 'SUCCESS' WHERE task_id = 'ended'")

    event.listen(engine, "before_cursor_execute", end_one)
    try:
        found = call(answer, engine)
    finally:
        event.remove(engine, "before_cursor_execute", end_one)
        other.dispose()
    if not isinstance(found, list):
        return not_right("not_a_list", found=repr(found)[:80])
    states = _states(engine)
    if SLOW in found or states[SLOW] == "LOST":
        return not_right("living", found=repr(SLOW))
    if missing := [each for each in DOOMED[:2] if each not in found]:
        return not_right("missed", missing=repr(missing[0]))
    if wrong := [each for each in DOOMED[:2] if states[each] != "LOST"]:
        return not_right("unmarked", missing=repr(wrong[0]), state=states[wrong[0]])
    if done.is_set() and (states["ended"] != "SUCCESS" or "ended" in found):
        returned = "returned" if "ended" in found else "did not return"
        return not_right("overwritten", state=states["ended"], returned=returned)
    return None


def _judge_four(answer: Callable[[Any], list[str]], engine: Any) -> Outcome:
    found: list[str] = []
    together = threading.Barrier(4)
    failed: list[Exception] = []

    def watch() -> None:
        together.wait()
        try:
            found.extend(answer(engine))
        except Exception as error:  # noqa: BLE001  # shown as the learner's, below
            failed.append(error)

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    if failed:
        with learners_code():
            raise failed[0]
    if len(found) != len(set(found)):
        return not_right("twice", found=len(found), n=len(set(found)))
    return right(found=", ".join(repr(each) for each in DOOMED[:2]))


def _prepare() -> tuple[str, Rows]:
    """Kill a real worker with tasks in its hands; return the database, and what is recorded there."""
    from sqlalchemy import create_engine

    url = f"sqlite:///{owner().folder / 'exercise_4_2b.sqlite3'}"
    engine = create_engine(url, connect_args=PATIENT)
    broker = lab.broker()  # of its own: the bundled worker of others must not take the tasks
    env = {"CELERYLAB_RECORDS": "true", "CELERYLAB_DATABASE_URL": url}
    try:
        with _worker("mortal", broker, env) as mortal:
            _send(broker, DOOMED)
            _started(engine, DOOMED)
            mortal.kill()
        with (
            _worker("mortal", broker, env) as again,
            _worker("busy", broker, env, "labtasks.io_intensive") as busy,
        ):
            _send(broker, (SLOW,), "labtasks.io_intensive")
            _started(engine, (SLOW,))
            wait_for(3, "leases", lambda: _run(engine, "SELECT instance FROM worker_leases"), TIMEOUT)
            again.kill()
            busy.kill()
        rows = {table: _run(engine, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608
        return url, {table: [dict(row._mapping) for row in found] for table, found in rows.items()}
    finally:
        engine.dispose()
        broker.kill()


def _restore(engine: Any, recorded: Rows) -> None:
    """Put back what was recorded, as if it were recorded now."""
    now = time.time()
    dead = {row["instance"] for row in recorded["celery_task_records"] if row["task_id"] in DOOMED}
    for row in recorded["worker_leases"]:
        row["seen_at"] = now - 60 if row["instance"] in dead else now + 60  # they live, however slow we are
    for row in recorded["celery_task_records"]:
        row["state"] = "STARTED"
        row["started_at"] = now - (3600 if row["task_id"] == SLOW else 65)
    with engine.begin() as connection:
        from sqlalchemy import text

        for table, rows in recorded.items():
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
            names = list(rows[0])
            values = ", ".join(f":{name}" for name in names)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), rows)  # noqa: S608


def _worker(name: str, broker: Any, env: dict[str, str], queue: str = "labtasks.cpu_intensive") -> Worker:
    return lab.worker(MODULE, name=f"{name}-4-2b", concurrency=3, queues=[queue], broker=broker, env=env)


def _send(broker: Any, ids: tuple[str, ...], queue: str = "labtasks.cpu_intensive") -> None:
    from celerylab.stack import control

    for task_id in ids:
        control.client(broker.url).send_task(
            "labtasks.media.dummy_long_task", (600,), task_id=task_id, queue=queue
        )


def _started(engine: Any, ids: tuple[str, ...]) -> None:
    def look() -> list[str]:
        from sqlalchemy.exc import OperationalError

        try:
            states = _states(engine)
        except OperationalError:  # the worker has not made the tables yet
            return []
        return [each for each in ids if states.get(each) in ("STARTED", "PROGRESS")]

    wait_for(len(ids), "tasks that run", look, TIMEOUT)


def _states(engine: Any) -> dict[str, str]:
    return {row.task_id: row.state for row in _run(engine, "SELECT task_id, state FROM celery_task_records")}


def _run(engine: Any, statement: str) -> list[Any]:
    from sqlalchemy import text

    with engine.begin() as connection:
        done = connection.execute(text(statement))
        return list(done) if done.returns_rows else []
