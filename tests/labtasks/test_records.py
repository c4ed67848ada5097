"""Every state change is recorded once, in the right order, whoever tells and whatever dies."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from celerylab import Lab
from celerylab.stack.postgres import Postgres
from labtasks.records import CeleryTaskRecord, ContextTask, Writer
from labtasks.records import states as s
from labtasks.records.states import Seen, apply, follows
from labtasks.records.storing import write_changes, write_results
from labtasks.records.tables import Base
from tests.labtasks.recording import (
    MODULE,
    begun,
    database_at,
    lines,
    open_gate,
    records,
    running,
    send,
    state_of,
)
from tests.processes import within

ENDS = sorted(s.ENDED)


# -- which state may follow which -----------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Everything that is told of one task, in the order in which it happens."""
    at = 1000.0
    told: list[dict[str, Any]] = [change(s.PENDING, 0, at)]
    for attempt in range(draw(st.integers(1, 3))):
        for delivery in range(draw(st.integers(1, 2))):
            at += 1
            told.append(change(s.RECEIVED, attempt, at))
            at += 1
            told.append(change(s.STARTED, attempt, at))
            began = at
            for _ in range(draw(st.integers(0, 2))):
                at += 1
                told.append(change(s.PROGRESS, attempt, began, progress_at=at, progress=str(at)))
            at += 1
            if delivery:
                told.append(change(s.REJECTED, attempt, at))
        at += 1
        told.append(change(s.RETRY, attempt, at))
    at += 1
    told[-1] = change(draw(st.sampled_from(ENDS)), told[-1]["retries"], at)
    # the child tells of progress until it is killed, a moment after the main process has told the end
    if draw(st.booleans()):
        told.append(change(s.PROGRESS, told[-1]["retries"], began, progress_at=at + 0.1, progress="late"))
    return told


def change(state: str, retries: int, at: float, **more: Any) -> dict[str, Any]:
    return {"task_id": "one", "state": state, "retries": retries, "at": at, **more}


@given(lives(), st.randoms(use_true_random=False))
@hypothesis_settings(deadline=None)
def test_record_ends_the_same_in_whatever_order_it_is_told(told: list[dict[str, Any]], rng: Any) -> None:
    end = next(each for each in reversed(told) if each["state"] in s.ENDED)
    shuffled = told[:]
    rng.shuffle(shuffled)
    row: dict[str, Any] = {}
    for each in shuffled:
        apply(row, each)
    assert (row["state"], row["retries"], row["finished_at"]) == (end["state"], end["retries"], end["at"])
    assert row["sent_at"] == 1000.0


seen = st.builds(Seen, st.sampled_from(s.STATES), st.integers(0, 3), st.floats(0, 10))


@given(seen, seen)
def test_nothing_follows_a_success_and_only_a_later_run_follows_another_end(old: Seen, new: Seen) -> None:
    if old.state == s.SUCCESS:
        assert not follows(old, new)
    elif old.state in s.ENDED and new.state != s.SUCCESS and new.retries <= old.retries:
        assert follows(old, new) == (new.state in s.OPENING and new.at > old.at)
    if old.state == s.PENDING:
        assert follows(old, new) == (new.state != s.PENDING)


def test_late_start_never_overwrites_a_success() -> None:
    row: dict[str, Any] = {}
    apply(row, change(s.SUCCESS, 0, 5.0, runtime=1.0))
    assert not apply(row, change(s.STARTED, 0, 6.0))
    assert (row["state"], row["runtime"], row["started_at"]) == (s.SUCCESS, 1.0, 6.0)


def test_late_end_of_one_run_does_not_end_the_next() -> None:
    assert not follows(Seen(s.STARTED, 0, 6.0), Seen(s.REJECTED, 0, 3.0))
    assert not follows(Seen(s.STARTED, 0, 6.0), Seen(s.FAILURE, 0, 3.0))


# -- what real workers tell -----------------------------------------------------------------

ENDINGS = {
    "add": s.SUCCESS,
    "fail": s.FAILURE,
    "retry": s.SUCCESS,
    "exceed": s.FAILURE,
    "die": s.FAILURE,
    "die_once": s.SUCCESS,
    "reject": s.FAILURE,
    "ignore": s.IGNORED,
    "strange": s.FAILURE,
    "expired": s.REVOKED,
    "terminated": s.REVOKED,
    "nowhere": s.FAILURE,
    "pickled": s.FAILURE,
}
IN_EVERY_POOL = ("add", "fail", "retry", "ignore", "reject", "expired", "nowhere")


def send_all(lab: Lab, names: tuple[str, ...], folder: Path, prefix: str = "") -> None:
    for name in names:
        options: dict[str, Any] = {"task_id": prefix + name}
        task, args = name, {"add": (1, 2), "fail": ("no",), "die_once": (str(folder / "once"),)}.get(name, ())
        if name == "expired":
            task, args, options["expires"] = "add", (1, 2), -1
        elif name == "pickled":
            task, args, options["serializer"] = "add", ({1}, {2}), "pickle"
        elif name == "terminated":
            task, args = "wait", ("terminated",)
        send(lab, task, *args, **options)


@pytest.fixture(scope="module")
def kept(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CeleryTaskRecord]]:
    """The records of a task of each kind."""
    folder = tmp_path_factory.mktemp("records")
    with database_at(f"sqlite:///{folder / 'records.sqlite3'}"):
        with running(lab, concurrency=3) as worker:
            send_all(lab, tuple(ENDINGS), folder)
            begun(lab, "terminated")
            lab.client.control.revoke("terminated", terminate=True, destination=[worker.node])
            assert within(30, lambda: {name: state_of(name) for name in ENDINGS} == ENDINGS), {
                name: state_of(name) for name in ENDINGS
            }
        yield records()


@pytest.mark.parametrize(("task_id", "state"), ENDINGS.items())
def test_every_end_is_recorded(kept: dict[str, CeleryTaskRecord], task_id: str, state: str) -> None:
    found = kept[task_id]
    assert (found.state, found.worker, found.queue) == (state, "recorded@lab", "recorded")
    assert found.finished_at is not None
    assert (found.error is None) == (state in (s.SUCCESS, s.IGNORED))
    moments = [each for each in (found.received_at, found.started_at, found.finished_at) if each]
    assert all(before <= after for before, after in pairwise(moments))


def test_record_says_what_was_called_what_it_took_and_what_went_wrong(
    kept: dict[str, CeleryTaskRecord],
) -> None:
    assert (kept["add"].args, kept["add"].returned) == ("(1, 2)", "3")
    assert (kept["add"].runtime or 0) > 0
    assert kept["retry"].retries == 2
    assert kept["exceed"].error == "TimeLimitExceeded: 0.5 s"
    assert "raise ValueError(what)" in (kept["fail"].traceback or "")
    assert kept["terminated"].error == "terminated"


def test_each_state_change_has_one_line(kept: dict[str, CeleryTaskRecord]) -> None:
    def states(task_id: str) -> list[str]:
        found = [line for line in lines(task_id) if line.logger == "celery.task.lifecycle"]
        return [line.text.split()[0].removeprefix("state=") for line in found]

    once = [s.RECEIVED, s.STARTED]
    expected = {
        "exceed": sorted([*once, s.FAILURE]),
        "retry": sorted([*once, s.RETRY, *once, s.RETRY, *once, s.SUCCESS]),
        "die_once": sorted([*once, s.REJECTED, *once, s.SUCCESS]),
    }

    def found() -> dict[str, list[str]]:
        # two messages of one task may be under way at once, and be written down in any order
        return {task_id: sorted(states(task_id)) for task_id in expected}

    # the writer has not written all lines when it has written the last state
    assert within(20, lambda: found() == expected), found()
    assert states("exceed") == [*once, s.FAILURE]


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_other_pools_record_the_same(lab: Lab, tmp_path: Path, pool: str) -> None:
    with database_at(f"sqlite:///{tmp_path / 'pool.sqlite3'}"), running(lab, pool, pool=pool):
        send_all(lab, IN_EVERY_POOL, tmp_path, prefix=pool)
        expected = {pool + name: ENDINGS[name] for name in IN_EVERY_POOL}
        assert within(20, lambda: {key: one.state for key, one in records().items()} == expected), {
            key: one.state for key, one in records().items()
        }
        assert records()[f"{pool}add"].get_result() == 3


def test_sender_records_too_and_progress_shows_while_it_runs(lab: Lab, tmp_path: Path) -> None:
    recorded = import_module(MODULE)

    with database_at(f"sqlite:///{tmp_path / 'sender.sqlite3'}"):
        recorded.note_progress.apply_async(("progress",), task_id="progress", headers={"job": "j"})
        assert recorded.recorder.writer.flush(10)
        recorded.recorder.disconnect()  # for the tests that follow
        assert (state_of("progress"), records()["progress"].job) == (s.PENDING, "j")
        with running(lab, "progress") as worker:
            begun(lab, "progress")
            assert within(10, lambda: state_of("progress") == s.PROGRESS)
            assert records()["progress"].as_dict()["progress"] == {"current": 1, "total": 2}
            open_gate(lab, "progress")
            recorded.note_progress.AsyncResult("progress").get(timeout=20)
            worker.stop(timeout=60)  # writes what is left
        found = records()["progress"]
        assert (found.state, found.get_result()) == (s.SUCCESS, {"done": True})
        assert found.sent_at <= found.received_at <= found.started_at <= found.finished_at


# -- PostgreSQL: away and back; connections and forks ----------------------------------------


def test_database_that_is_away_stops_no_task_and_no_two_processes_share_a_connection(
    lab: Lab, tmp_path: Path
) -> None:
    with Postgres("records-away") as server, database_at(server.url), running(lab, "away") as worker:
        send(lab, "add", 1, 2, task_id="before").get(timeout=20)
        assert within(10, lambda: state_of("before") == s.SUCCESS)
        server.stop()
        results = [send(lab, "add", n, n, task_id=f"away-{n}") for n in range(20)]
        assert [each.get(timeout=20) for each in results] == [2 * n for n in range(20)]
        # three processes: the main one and two of the pool; each says it once
        away = "the database does not answer"
        assert within(20, lambda: len(worker.log(away, last=99).lines) >= 2)
        server.start()
        expected = {f"away-{n}": s.SUCCESS for n in range(20)} | {"before": s.SUCCESS}
        assert within(20, lambda: {key: one.state for key, one in records().items()} == expected)
        assert within(20, lambda: bool(worker.log("the database is back; lost meanwhile: 0", last=99).lines))
        said = [line.partition("]")[0] for line in worker.log(away, last=99)]
        assert len(said) == len(set(said)), "a process has said it twice"

        # the main process has a connection now, which the next that it forks could inherit
        killed = worker.processes[0]
        os.kill(killed, signal.SIGKILL)
        # a message that waits for the next one is delivered again
        assert within(20, lambda: len({*worker.processes} - {killed}) == 2)
        asked = [send(lab, "connections", "both", task_id=f"connections {n}") for n in range(2)]
        assert len({begun(lab, "both") for _ in asked}) == 2
        open_gate(lab, "both")
        served = dict(each.get(timeout=20) for each in asked)
        assert len(served) == len(set(served.values())) == 2


def test_postgresql_keeps_the_same_records(postgresql: str) -> None:
    made = create_engine(postgresql)
    Base.metadata.create_all(made)
    with made.begin() as connection:
        write_results(
            connection,
            [{"task_id": "pg", "state": s.PENDING, "retries": 0, "changed_at": 0.0, "result": "1"}],
        )
    for each in (change(s.SUCCESS, 0, 3.0), change(s.STARTED, 0, 2.0), change(s.PENDING, 0, 1.0, name="a.b")):
        with made.begin() as connection:
            write_changes(connection, [each | {"task_id": "pg"}])
    with made.connect() as connection:
        row = connection.execute(text("SELECT * FROM celery_task_records WHERE task_id = 'pg'")).one()
    assert (row.state, row.name, row.result, row.sent_at, row.started_at) == ("SUCCESS", "a.b", "1", 1.0, 2.0)
    made.dispose()


# -- the writer -----------------------------------------------------------------------------


class Door:
    """A database that is away until it is let in."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        Base.metadata.create_all(self.engine)
        self.here = threading.Event()

    def __call__(self) -> Any:
        if not self.here.is_set():
            raise OperationalError("connect", {}, Exception("nobody there"))
        return self.engine


def test_what_waits_is_bounded_and_what_is_lost_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = Door(f"sqlite:///{tmp_path / 'bounded.sqlite3'}")
    writer = Writer(base, most=1000)
    for n in range(3000):
        writer.put(write_changes, change(s.STARTED, 0, 1.0) | {"task_id": str(n)})
    assert within(5, lambda: "does not answer" in caplog.text)
    assert writer.waiting == 1000
    base.here.set()
    assert writer.flush(10)
    assert within(5, lambda: "lost meanwhile: 2000" in caplog.text)
    assert caplog.text.count("does not answer") == caplog.text.count("is back") == 1
    with base.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM celery_task_records")).scalar() == 1000


def test_what_the_database_refuses_takes_nothing_else_with_it(
    postgresql: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = create_engine(postgresql)
    Base.metadata.create_all(made)
    writer = Writer(lambda: made)
    for n, name in enumerate(("good", "b\0d", "better")):
        writer.put(write_changes, change(s.STARTED, 0, 1.0, name=name) | {"task_id": f"refused-{n}"})
    assert writer.flush(10)
    with made.connect() as connection:
        query = "SELECT name FROM celery_task_records WHERE task_id LIKE 'refused-%' ORDER BY task_id"
        assert connection.execute(text(query)).scalars().all() == ["good", "better"]
    assert caplog.text.count("the database refuses") == 1
    made.dispose()


# -- ContextTask ----------------------------------------------------------------------------


def test_context_is_around_each_run_and_the_request_stays() -> None:
    around: list[str] = []

    class Wrapped(ContextTask):
        abstract = True

        @contextmanager
        def context(self) -> Iterator[None]:
            around.append("in")
            yield
            around.append("out")

    app = Celery(
        "wrapped", task_cls=Wrapped, broker="memory://", backend="cache+memory://", set_as_current=False
    )

    @app.task(bind=True)
    def name(self: Any, deeper: bool = False) -> Any:
        around.append("run")
        return self.request.id, deeper and name()

    assert name() == (None, False)
    assert around == ["in", "run", "out"]
    assert name.apply(task_id="here").get() == ("here", False)
    # called as a function from within itself
    assert name.apply((True,), task_id="outer").get() == ("outer", ("outer", False))
