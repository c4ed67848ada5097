"""Limits: what a task that is ended gives back, and what others may take meanwhile."""

import os
import signal
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celerylab import Lab
from celerylab.stack.worker import Worker
from labtasks.scratch import remove_scratch, scratch, scratch_path, sweep
from labtasks.seats import NoSeatFree, Seats
from tests.processes import within

MODULE = """
import os, signal, time
from celery import Celery
from redis import Redis
from labtasks.scratch import ScratchTask, scratch
url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("ending", broker=url, backend=url)
app.conf.task_default_queue = "ending"

@app.task(bind=True, base=ScratchTask)
def end(self, how):
    with scratch(self.request.id) as folder:
        (folder / "draft").write_text("half")
        Redis.from_url(url).set(f"begun {self.request.id}", 1)
        if how == "raise":
            raise ValueError(how)
        if how == "hang":  # as in a C library: not even SystemExit gets through
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        while how != "return":
            time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def worker(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder, before = tmp_path_factory.mktemp("module"), Path.cwd()
    (folder / "ending.py").write_text(MODULE)
    os.chdir(folder)
    started = lab.worker("ending", concurrency=4)
    yield started
    started.kill()
    os.chdir(before)


def send(lab: Lab, how: str, **options: Any) -> Any:
    return lab.client.send_task("ending.end", args=(how,), queue="ending", **options)


@pytest.mark.parametrize(
    ("how", "options", "state"),
    [
        ("return", {}, "SUCCESS"),
        ("raise", {}, "FAILURE"),
        ("wait", {"soft_time_limit": 1.5}, "FAILURE"),
        ("hang", {"time_limit": 1.5}, "FAILURE"),
    ],
)
def test_scratch_is_gone_with_its_task_however_it_ends(
    lab: Lab, worker: Worker, how: str, options: dict[str, float], state: str
) -> None:
    result = send(lab, how, **options)
    result.get(timeout=20, propagate=False)
    assert result.state == state
    assert lab.redis.exists(f"begun {result.id}")
    assert within(5, lambda: not scratch_path(result.id).exists())


def test_what_a_killed_process_leaves_is_swept_once_it_is_old(lab: Lab, worker: Worker) -> None:
    result = send(lab, "wait")
    assert within(10, lambda: bool(lab.redis.exists(f"begun {result.id}")))
    active = worker.inspect("active")
    os.kill(next(task["worker_pid"] for task in active if task["id"] == result.id), signal.SIGKILL)
    result.get(timeout=20, propagate=False)
    assert type(result.result).__name__ == "WorkerLostError"
    assert result.id not in sweep(older_than=3600)
    assert scratch_path(result.id).exists()
    assert result.id in sweep(older_than=0)
    assert not scratch_path(result.id).exists()


@pytest.mark.usefixtures("lab")
def test_second_attempt_finds_nothing_of_the_first() -> None:
    remove_scratch("attempt")
    scratch_path("attempt").mkdir(parents=True)
    (scratch_path("attempt") / "left").touch()
    with scratch("attempt") as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("task_id", ["", "..", "a/b", "/tmp", "."])
def test_id_that_would_lead_out_of_the_folder_is_refused(task_id: str) -> None:
    with pytest.raises(ValueError, match="cannot name a folder"):
        scratch_path(task_id)


def seats(lab: Lab, limit: int = 2, lease: float = 60.0) -> Seats:
    return Seats(lab.redis, uuid.uuid4().hex, limit, lease)


def test_no_more_than_the_limit_hold_a_seat_and_one_given_back_is_free(lab: Lab) -> None:
    room = seats(lab)
    room.take("a")
    room.take("b")
    with pytest.raises(NoSeatFree, match="all 2 seats"):
        room.take("c")
    room.take("a")  # who has one keeps it
    room.give_back("a")
    with room.held("c"):
        assert sorted(room.holders()) == ["b", "c"]
    assert room.holders() == ["b"]


def test_seat_is_free_when_its_lease_ends_and_kept_by_taking_it_again(lab: Lab) -> None:
    short, long = seats(lab, 1, 0.2), seats(lab, 1, 60)
    short.take("dead")
    long.take("alive")
    assert within(5, lambda: short.holders() == [])
    short.take("next")
    with pytest.raises(NoSeatFree):
        long.take("next")


@pytest.mark.parametrize(("limit", "lease"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0)])
def test_seats_that_nobody_could_take_are_refused(lab: Lab, limit: int, lease: float) -> None:
    with pytest.raises(ValueError, match="limit must be 1 or more and lease positive"):
        seats(lab, limit, lease)


def run(lab: Lab, task: str, *args: Any) -> Any:
    return lab.client.send_task(f"labtasks.limits.{task}", args=args, queue="labtasks").get(timeout=20)


@pytest.mark.parametrize(("most", "count"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (100, 25), (1000, 168)])
def test_primes_up_to_a_number(lab: Lab, most: int, count: int) -> None:
    assert run(lab, "time_limited_task", most) == {"count": count, "up_to": most, "complete": True}


def test_primes_are_counted_as_far_as_the_time_allows(lab: Lab) -> None:
    task = lab.client.send_task(
        "labtasks.limits.time_limited_task", args=(10**9,), queue="labtasks", soft_time_limit=0.3
    )
    part = task.get(timeout=20)
    assert part["complete"] is False
    assert 2 < part["up_to"] < 10**9
    assert part["count"] == run(lab, "time_limited_task", part["up_to"])["count"]


@pytest.mark.parametrize("most", [-1, 2.5, "10", True, None])
def test_what_is_no_number_to_count_to_is_refused(lab: Lab, most: object) -> None:
    with pytest.raises(ValueError, match="most must be a whole number"):
        run(lab, "time_limited_task", most)


def test_archive_holds_a_file_for_each_table_and_the_seat_is_free_again(lab: Lab) -> None:
    made = run(lab, "resource_managed_task", {"films": [{"title": "M", "year": 1931}], "empty": []})
    with zipfile.ZipFile(made["path"]) as archive:
        assert sorted(archive.namelist()) == ["empty.csv", "films.csv"]
        assert archive.read("films.csv").decode().splitlines() == ["title,year", "M,1931"]
    assert made["files"] == 2
    assert lab.redis.zcard("seats:archives") == 0


def test_archive_waits_for_a_seat_without_holding_a_process(lab: Lab) -> None:
    taken = Seats(lab.redis, "archives", 2, 60)
    taken.take("one")
    taken.take("two")
    waiting = [
        lab.client.send_task("labtasks.limits.resource_managed_task", args=({"a": []},), queue="labtasks")
        for _ in range(3)
    ]
    # two processes, three that wait: and yet another task gets through
    assert within(10, lambda: all(result.state == "RETRY" for result in waiting))
    assert lab.client.send_task("labtasks.basics.add", (2, 3), queue="labtasks").get(timeout=20) == 5
    taken.give_back("one")
    assert [result.get(timeout=30)["files"] for result in waiting] == [1, 1, 1]
    taken.give_back("two")


@pytest.mark.parametrize("tables", [{}, {"": []}, {"../up": []}, {".hidden": []}])
def test_tables_without_a_name_that_a_file_can_have_are_refused(lab: Lab, tables: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a table needs a name"):
        run(lab, "resource_managed_task", tables)
