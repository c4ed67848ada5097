"""The watchdog finds what died with its worker, and leaves alone what lives."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from celerylab import Lab
from labtasks.database import engine
from labtasks.records import JobSync, start_job
from labtasks.records import states as s
from labtasks.records.jobs import JobExists, close_stale, forget
from labtasks.records.leases import LEASES, dead, renewal, stopped
from labtasks.records.lost import RESENDS, find_lost
from labtasks.records.storing import RECORDS, write_changes
from labtasks.records.tables import Base
from labtasks.records.writer import transaction
from labtasks.schedules import entries
from tests.labtasks.recording import begun, database_at, open_gate, records, running, send, state_of
from tests.processes import within

LEASE = 0.6  # s


@pytest.fixture
def recovery(lab: Lab, tmp_path: Path) -> Iterator[Any]:
    """The module, its app sending to the lab's broker, and a database of its own."""
    url = f"sqlite:///{tmp_path / 'recovery.sqlite3'}"
    hook = lab.webhook()
    with database_at(url, CELERYLAB_RECORDS_LEASE=str(LEASE), CELERYLAB_ALERT_URL=hook.url):
        module = import_module("labtasks.session_recovery")
        module.hook = hook
        with pytest.MonkeyPatch.context() as patch:
            # the bundled app of this process may know the broker of another test's lab
            patch.setattr(module, "app", lab.client)
            yield module


def job(name: str) -> JobSync:
    with Session(engine(), expire_on_commit=False) as session:
        found = session.get(JobSync, name)
        assert found
        return found


def watch_until(lost: set[str]) -> list[str]:
    """Look as the watchdog does until these tasks are lost; return all that are."""
    found: list[str] = []

    def look() -> bool:
        found.extend(one.task_id for one in find_lost(LEASE, 3600))
        return lost <= set(found)

    assert within(20, look), found
    return found


def test_dead_are_found_once_and_the_living_are_spared(lab: Lab, recovery: Any) -> None:
    start_job("import", "pictures", 2)
    with running(lab, "mortal", concurrency=3) as mortal:
        for task in ("wait", "wait_safely", "wait_late"):
            send(lab, task, "doomed", task_id=task, headers={"job": "import"} if "_" in task else None)
        for _ in range(3):
            begun(lab, "doomed")
        within(10, lambda: all(state_of(task) == s.STARTED for task in ("wait", "wait_safely", "wait_late")))
        mortal.kill()
    with running(lab, "survivor", concurrency=3, queues=["recorded"]) as survivor:
        send(lab, "wait", "alive", task_id="alive")
        begun(lab, "alive")
        assert within(10, lambda: state_of("alive") == s.STARTED)
        recovered: dict[str, list[str]] = {"lost": [], "sent_again": []}

        def watched() -> bool:
            for key, found in recovery.watchdog.run().items():
                recovered[key] += found
            return {"wait", "wait_safely"} <= set(recovered["lost"])

        assert within(20, watched), recovered
        # the broker may have brought wait_late back before anybody looked
        assert sorted({*recovered["lost"], "wait_late"}) == ["wait", "wait_late", "wait_safely"]
        assert len(recovered["lost"]) == len(set(recovered["lost"]))
        assert recovered["sent_again"] == ["wait_safely"]
        assert state_of("wait") == s.LOST
        assert "mortal@lab has been silent" in (records()["wait"].lost_because or "")
        # wait_safely was sent again; wait_late is brought back by the broker, and not doubled
        for _ in range(2):
            assert begun(lab, "doomed") in survivor.tree
        open_gate(lab, "doomed")
        assert within(20, lambda: (state_of("wait_safely"), state_of("wait_late")) == (s.SUCCESS,) * 2)
        assert job("import").status == "success"
        assert (state_of("wait"), state_of("alive")) == (s.LOST, s.STARTED)
        alerts = recovery.hook.wait(len(recovered["lost"]))
        assert sorted(alert.body["id"] for alert in alerts) == sorted(recovered["lost"])

        # a worker that lives after all takes its record back
        # while the test holds the database's lock: a worker that is stopped with it keeps it
        with transaction(engine()):
            survivor.signal(signal.SIGSTOP)
            its_main = psutil.Process(survivor.pid)
            assert within(5, lambda: its_main.status() == psutil.STATUS_STOPPED)
        assert watch_until({"alive"}) == ["alive"]
        assert state_of("alive") == s.LOST
        survivor.signal(signal.SIGCONT)
        open_gate(lab, "alive")
        assert within(20, lambda: state_of("alive") == s.SUCCESS)


# -- leases, without workers ------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path / 'leases.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


def is_dead(made: Any) -> bool:
    with transaction(made) as connection:
        return "a" in dead(connection, {"a": "a@lab"}, 1.0)


def age(made: Any, **columns: float) -> None:
    """Make it later, without waiting."""
    with transaction(made) as connection:
        row = connection.execute(select(LEASES)).one()
        older = {name: getattr(row, name) - seconds for name, seconds in columns.items()}
        connection.execute(update(LEASES).values(**older))


def test_silence_alone_kills_nobody(made: Any) -> None:
    """The database may have been away: then nobody could renew."""
    with transaction(made) as connection:
        renewal("a", "a@lab")(connection)
    assert not is_dead(made)
    age(made, seen_at=100.0)  # the database was away for 100 s, and is back
    assert not is_dead(made)
    with transaction(made) as connection:
        renewal("a", "a@lab")(connection)
    assert not is_dead(made)
    age(made, seen_at=100.0)
    assert not is_dead(made)  # suspected
    age(made, suspected_at=0.6)
    assert is_dead(made)
    age(made, suspected_at=10.0)  # away again, while it was suspected
    assert not is_dead(made)


def test_ended_worker_is_dead_at_once_and_one_without_lease_is_suspected(made: Any) -> None:
    assert not is_dead(made)
    age(made, suspected_at=0.6)
    assert is_dead(made)
    with transaction(made) as connection:
        renewal("a", "a@lab")(connection)
    assert not is_dead(made)
    with transaction(made) as connection:
        stopped(connection, ["a"])
    assert is_dead(made)


def begin(made: Any, task_id: str, at: float = 1.0, **more: Any) -> None:
    change = {
        "task_id": task_id,
        "state": s.STARTED,
        "retries": 0,
        "at": at,
        "instance": "a",
        "worker": "a@lab",
    }
    with transaction(made) as connection:
        write_changes(connection, [change | more])


def test_two_watchdogs_at_once_find_a_task_once(made: Any) -> None:
    for n in range(20):
        begin(made, f"task {n}")
    assert find_lost(1.0, 3600, lambda: made) == []
    age(made, suspected_at=0.6)
    found: list[str] = []
    together = threading.Barrier(4)

    def watch() -> None:
        together.wait()
        found.extend(one.task_id for one in find_lost(1.0, 3600, lambda: made))

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == sorted(f"task {n}" for n in range(20))


def test_what_kills_its_worker_each_time_is_given_up(made: Any) -> None:
    begin(made, "poison", message=json.dumps([[], {}, {}]))
    find_lost(1.0, 3600, lambda: made)
    age(made, suspected_at=0.6)
    sent = []
    for n in range(RESENDS + 1):
        (one,) = find_lost(1.0, 3600, lambda: made)
        sent.append(one.message is not None)
        begin(made, "poison", at=2.0 + n, message=json.dumps([[], {}, {}]))
    assert sent == [True] * RESENDS + [False]


def test_record_whose_message_should_be_back_is_lost_too(made: Any) -> None:
    begin(made, "just now", state=s.RECEIVED, at=time.time())
    begin(made, "long ago", state=s.RECEIVED, at=time.time() - 100)
    find_lost(1.0, 50.0, lambda: made)
    age(made, suspected_at=0.6)
    assert [one.task_id for one in find_lost(1.0, 50.0, lambda: made)] == ["long ago"]


# -- jobs -------------------------------------------------------------------------------------


def test_jobs_that_nobody_works_for_are_closed(made: Any) -> None:
    for name, total in (("done", 2), ("half sent", 3), ("at work", 2), ("empty", 0)):
        start_job(name, "pictures", total, lambda: made)
    with pytest.raises(JobExists):
        start_job("done", "pictures", 1, lambda: made)
    begin(made, "d1", state=s.SUCCESS, job="done")
    begin(made, "d2", state=s.FAILURE, job="done")
    begin(made, "h1", state=s.SUCCESS, job="half sent")
    begin(made, "w1", job="at work")
    begin(made, "w2", state=s.SUCCESS, job="at work")
    with transaction(made) as connection:
        assert close_stale(connection, quiet=600.0) == []  # "done" was closed by its last task
        assert close_stale(connection, quiet=-1.0) == ["half sent"]
        rows = {row.job: row for row in connection.execute(select(Base.metadata.tables["job_syncs"]))}
    assert {name: row.status for name, row in rows.items()} == {
        "done": "partial", "half sent": "stale", "at work": "running", "empty": "success"
    }  # fmt: skip
    assert rows["half sent"].note == "2 tasks were never seen"
    assert (rows["done"].succeeded, rows["done"].failed) == (1, 1)


def test_what_is_old_is_forgotten_and_what_is_open_is_not(made: Any) -> None:
    begin(made, "old", state=s.SUCCESS, at=time.time() - 40 * 24 * 3600)
    begin(made, "old and open", at=time.time() - 40 * 24 * 3600)
    begin(made, "new", state=s.SUCCESS, at=time.time())
    with transaction(made) as connection:
        assert forget(connection, 30)["records"] == 1
        left = connection.execute(select(RECORDS.c.task_id)).scalars().all()
    assert sorted(left) == ["new", "old and open"]


def test_beat_has_both_where_records_are_kept() -> None:
    names = {"picker_import.watchdog", "session_recovery.cleanup_stale_sessions"}
    assert names <= {each["task"] for each in entries(60.0, 30.0).values()}
    assert not names & {each["task"] for each in entries(60.0).values()}
