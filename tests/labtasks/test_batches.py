"""Batches of users, on a real table."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from celerylab import Lab
from celerylab.stack.control import client
from labtasks import database, users
from labtasks.database import User, engine
from labtasks.queues import QUEUES
from tests.processes import within

BATCHED = "labtasks.batches.batch_process_users"
BATCH = "labtasks.batches.process_user_batch"
OLD_TABLE = "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR NOT NULL, email VARCHAR NOT NULL)"


def registered(count: int) -> list[int]:
    return [users.register(f"user{n}", f"user{n}@example.com") for n in range(count)]


def run(lab: Lab, *args: Any, task: str = BATCHED) -> Any:
    return lab.client.send_task(task, args, queue="labtasks").get(timeout=30)


def active(ids: list[int]) -> list[bool]:
    with Session(engine()) as session:
        return list(session.scalars(select(User.is_active).where(User.id.in_(ids)).order_by(User.id)))


def summary(processed: int, failed: int, operation: str) -> dict[str, Any]:
    return {
        "total_users": processed + failed,
        "processed": processed,
        "failed": failed,
        "operation": operation,
    }


@pytest.fixture
def untouchable(lab: Lab) -> Iterator[int]:
    """A user whose change the database refuses."""
    (made,) = registered(1)
    with engine().begin() as connection:
        connection.execute(
            text(
                f"CREATE TRIGGER untouchable BEFORE UPDATE ON users WHEN OLD.id = {made} "
                "BEGIN SELECT RAISE(ABORT, 'hands off'); END"
            )
        )
    yield made
    with engine().begin() as connection:
        connection.execute(text("DROP TRIGGER untouchable"))


def test_users_are_activated_and_deactivated_in_batches_and_summed_up(lab: Lab) -> None:
    ids = registered(7)
    assert active(ids) == [False] * 7
    with lab.watch(wait=0) as seen:
        assert run(lab, ids, "activate", 3) == summary(7, 0, "activate")
        assert active(ids) == [True] * 7
        assert run(lab, ids[:2], "deactivate") == summary(2, 0, "deactivate")
        assert active(ids) == [False] * 2 + [True] * 5
        assert within(10, lambda: sum(each.task == BATCH for each in seen) == 4)


def test_one_batch_is_summed_up_like_many(lab: Lab) -> None:
    ids = registered(2)
    assert run(lab, ids, "activate", 2) == summary(2, 0, "activate")


def test_users_are_deleted_and_those_not_asked_for_stay(lab: Lab) -> None:
    gone, stays = registered(2)
    assert run(lab, [gone], "delete") == summary(1, 0, "delete")
    assert users.find(stays).id == stays
    with pytest.raises(users.NoSuchUser):
        users.find(gone)


def test_ids_that_nobody_has_count_as_failed_and_one_given_twice_counts_once(lab: Lab) -> None:
    (there,) = registered(1)
    assert run(lab, [there, there, 10**9, 10**12], "activate", 2) == summary(1, 2, "activate")


def test_many_batches_that_write_at_once_all_succeed(lab: Lab) -> None:
    ids = registered(60)
    assert run(lab, ids, "activate", 1) == summary(60, 0, "activate")


def test_batch_whose_database_fails_changes_nothing_and_the_others_go_on(lab: Lab, untouchable: int) -> None:
    before, after = registered(2), registered(2)
    assert run(lab, [*before, untouchable, *after], "activate", 3) == summary(2, 3, "activate")
    assert active([*before, untouchable, *after]) == [False] * 2 + [False] + [True] * 2
    assert lab.bundled.log("activate of 3 users failed, none was changed: hands off").lines


def test_database_that_cannot_be_opened_fails_every_batch_and_not_the_task(lab: Lab, tmp_path: Path) -> None:
    with lab.broker() as apart:
        nowhere = {"CELERYLAB_DATABASE_URL": f"sqlite:///{tmp_path}/absent/x.sqlite3"}
        worker = lab.worker("labtasks.app:app", broker=apart, env=nowhere)
        sent = client(apart.url).send_task(BATCHED, ([1, 2, 3], "activate", 2), queue="labtasks")
        assert sent.get(timeout=30) == summary(0, 3, "activate")
        worker.stop()


def test_no_users_are_summed_up_and_nothing_is_sent(lab: Lab) -> None:
    with lab.watch() as seen:
        assert run(lab, [], "activate") == summary(0, 0, "activate")
        run(lab, 1, 1, task="labtasks.basics.add")  # would come behind what was sent before
    assert [each.task for each in seen] == [BATCHED, "labtasks.basics.add"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("promote",), "'promote' is not allowed; allowed: activate, deactivate, delete"),
        (("activate; DROP TABLE users",), "'activate; DROP TABLE users' is not allowed"),
        ((["activate"],), r"\['activate'\] is not allowed"),
        (("activate", 0), "batch_size is 1 to 10000, not 0"),
        (("activate", -5), "batch_size is 1 to 10000, not -5"),
        (("activate", 10_001), "batch_size is 1 to 10000, not 10001"),
        (("activate", "many"), "batch_size is 1 to 10000, not 'many'"),
    ],
)
def test_bad_request_is_refused_by_name_before_anything_is_sent_or_changed(
    lab: Lab, args: tuple[Any, ...], message: str
) -> None:
    ids = registered(2)
    with lab.watch() as seen:
        with pytest.raises(Exception, match=message):
            run(lab, ids, *args)
        run(lab, 1, 1, task="labtasks.basics.add")
    assert [each.task for each in seen] == [BATCHED, "labtasks.basics.add"]
    assert active(ids) == [False, False]


def test_operation_is_refused_even_for_no_users(lab: Lab) -> None:
    with pytest.raises(Exception, match="'promote' is not allowed"):
        run(lab, [], "promote")


@pytest.mark.parametrize("user_id", ["1; DROP TABLE users", "1 OR 1=1", 0, 1.5, None, 2**63])
@pytest.mark.parametrize("task", [BATCHED, BATCH])
def test_what_is_no_id_is_refused(lab: Lab, task: str, user_id: object) -> None:
    (there,) = registered(1)
    with pytest.raises(Exception, match=r"user_ids: Expected `int`.* at `\$\[1\]`|user_ids: Integer"):
        run(lab, [there, user_id], "delete", task=task)
    assert users.find(there)


@pytest.mark.parametrize(
    ("ids", "operation", "message"),
    [([1], "promote", "'promote' is not allowed"), (list(range(1, 10_002)), "activate", "up to 10000 users")],
)
def test_batch_checks_what_it_is_sent(lab: Lab, ids: list[int], operation: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        run(lab, ids, operation, task=BATCH)


def test_largest_batch_fits_into_one_statement(lab: Lab) -> None:
    ids = list(range(10**6, 10**6 + 10_000))
    assert run(lab, ids, "activate", task=BATCH) == {"processed": 0, "failed": 10_000}


@pytest.fixture
def old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database made before users could be active, with one user in it."""
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    old = create_engine(url)
    with old.begin() as connection:
        connection.execute(text(OLD_TABLE))
        connection.execute(text("INSERT INTO users VALUES (1, 'aiko', 'aiko@example.com')"))
    old.dispose()
    monkeypatch.setenv("CELERYLAB_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERYLAB_DATABASE_URL", url)
    return url


def test_database_made_before_gets_the_new_column_and_keeps_its_users(old_database: str) -> None:
    assert users.find(1).username == "aiko"
    assert users.find(1).is_active is False
    assert users.find(users.register("ken", "ken@example.com")).is_active is False
    assert users.change([1], "activate") == 1
    assert users.find(1).is_active is True


def test_old_database_opened_by_many_at_once_is_changed_once(old_database: str) -> None:
    together = threading.Barrier(8)

    def open_it(_: int) -> None:
        together.wait()
        database._make(old_database).dispose()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_it, range(8)))  # raises what one of them raised
    assert users.find(1).is_active is False


def test_writers_of_a_sqlite_file_wait_for_each_other(old_database: str) -> None:
    with engine().connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == database.BUSY_TIMEOUT * 1000


def test_postgresql_keeps_users_and_gets_the_new_column(
    lab: Lab, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_before = create_engine(postgresql)
    with made_before.begin() as connection:
        connection.execute(text(OLD_TABLE.replace("INTEGER", "SERIAL")))
        connection.execute(text("INSERT INTO users (username, email) VALUES ('aiko', 'aiko@example.com')"))
    made_before.dispose()
    monkeypatch.setenv("CELERYLAB_DATABASE_URL", postgresql)
    with lab.broker() as apart:
        worker = lab.worker("labtasks.app:app", broker=apart, queues=QUEUES)
        sender = client(apart.url)

        def done(*args: Any) -> Any:
            return sender.send_task(BATCHED, args, queue="labtasks").get(timeout=30)

        # both of the worker's processes find the old table at the same time
        assert done([1, 10**12], "activate", 1) == summary(1, 1, "activate")
        ids = registered(9)
        assert done(ids, "activate", 2) == summary(9, 0, "activate")
        assert active([1, *ids]) == [True] * 10
        assert done(ids[:4], "delete", 3) == summary(4, 0, "delete")
        assert active(ids) == [True] * 5
        worker.stop()
    engine().dispose()
