"""Log lines of workers in the database: whose they are, how they get there, what they never do."""

import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from celerylab import Lab
from labtasks.database import engine
from labtasks.records import WorkerDBLogHandler, WorkerLog, Writer
from labtasks.records.tables import Base, WorkerLease
from tests.labtasks.recording import database_at, lines, running, send
from tests.processes import within


@pytest.fixture(scope="module")
def logged(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[WorkerLog]]:
    """What a worker logged that ran three tasks and was stopped."""
    folder = tmp_path_factory.mktemp("logged")
    with database_at(f"sqlite:///{folder / 'logs.sqlite3'}"):
        with running(lab, "logging", concurrency=1) as worker:
            send(lab, "add", 1, 2).get(timeout=20)
            send(lab, "fail", "no").get(timeout=20, propagate=False)
            send(lab, "count_threads").get(timeout=20)
            worker.stop(timeout=60)  # killed, it would not say that it stops
        yield lines()


def test_lines_of_a_task_have_its_id_and_fields(logged: list[WorkerLog]) -> None:
    (line,) = [one for one in logged if one.text == "adding x=1 y=2"]
    assert (line.level, line.task_id, line.worker) == ("INFO", "add", "logging@lab")
    assert line.fields == '{"x": 1, "y": 2}'


def test_log_error_keeps_the_traceback(logged: list[WorkerLog]) -> None:
    (line,) = [one for one in logged if one.text == "it went wrong what=no"]
    assert (line.level, line.task_id) == ("ERROR", "fail")
    assert "ValueError: no" in (line.traceback or "")


def test_lines_of_celery_itself_are_kept_with_their_task(logged: list[WorkerLog]) -> None:
    found = {(one.logger, one.task_id) for one in logged}
    assert ("celery.worker.strategy", "add") in found  # told by the main process
    assert ("celery.app.trace", "add") in found  # told by the pool's
    assert ("celery.apps.worker", None) in found


def test_what_was_logged_last_is_there_when_the_worker_has_stopped(logged: list[WorkerLog]) -> None:
    assert ("celery.app.trace", "count_threads") in {(one.logger, one.task_id) for one in logged}


def test_worker_that_has_stopped_has_said_so(logged: list[WorkerLog]) -> None:
    with engine().connect() as connection:
        (lease,) = connection.execute(select(WorkerLease.worker, WorkerLease.stopped_at)).all()
    assert lease.worker == "logging@lab"
    assert lease.stopped_at, "\n".join(one.text for one in logged[-20:])


def test_a_process_has_one_thread_for_records_and_lines(logged: list[WorkerLog]) -> None:
    assert [one.text for one in logged if "threads=" in one.text] == ["writers threads=1"]


def test_hot_logging_loop_takes_no_longer_than_its_lines(lab: Lab, tmp_path: Path) -> None:
    """The handler waits for nobody: a database that is locked keeps no task."""
    url = f"sqlite:///{tmp_path / 'locked.sqlite3'}"
    with database_at(url), running(lab, "locked", concurrency=1):
        send(lab, "add", 1, 2, task_id="first").get(timeout=20)
        assert within(10, lambda: bool(lines("first")))
        locked = create_engine(url)
        with locked.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            send(lab, "chatter", 500, task_id="chatter").get(timeout=20)
            # another process: what it begins waits for the lock, and its task does not
            assert send(lab, "add", 3, 4, task_id="second").get(timeout=20) == 7
        locked.dispose()
        assert within(20, lambda: sum("line" in one.text for one in lines("chatter")) == 500)


def test_handler_never_raises_into_who_logs(tmp_path: Path) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    made = create_engine(f"sqlite:///{tmp_path / 'odd.sqlite3'}")
    Base.metadata.create_all(made)
    writer = Writer(lambda: made)
    handler = WorkerDBLogHandler(writer)
    logger = logging.getLogger("odd")
    logger.addHandler(handler)
    logger.propagate = False
    raised, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        logger.error("%s", Odd())
        logger.error("one %s", "argument", "too many")
        logger.error("half a character \ud800, and a \0")
        logger.error("fields", extra={"fields": {"odd": Odd(), "set": {1}}})
        logger.error("good")
    finally:
        logging.raiseExceptions = raised
        logger.removeHandler(handler)
    assert writer.flush(10)
    with made.connect() as connection:
        texts = connection.execute(select(WorkerLog.text).order_by(WorkerLog.id)).scalars().all()
    assert texts == ["half a character \\ud800, and a \\0", "fields", "good"]
    made.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_lines_of_parent_and_child_are_written_once_each(tmp_path: Path) -> None:
    """What the parent has not written yet at a fork is not the child's to write."""
    made = create_engine(f"sqlite:///{tmp_path / 'forked.sqlite3'}")
    Base.metadata.create_all(made)
    made.dispose()
    writer = Writer(lambda: create_engine(f"sqlite:///{tmp_path / 'forked.sqlite3'}"))
    handler = WorkerDBLogHandler(writer)

    def log(text: str) -> None:
        handler.emit(logging.LogRecord("forked", logging.INFO, "", 0, text, (), None))

    for n in range(20):
        log(f"parent {n}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside a thread is what is tested
        child = os.fork()
    if not child:
        for n in range(20):
            log(f"child {n}")
        os._exit(0 if writer.flush(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert writer.flush(10)
    with made.connect() as connection:
        counts = connection.execute(select(func.count(), func.count(WorkerLog.text.distinct()))).one()
    assert tuple(counts) == (40, 40)
    made.dispose()
