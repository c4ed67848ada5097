"""Every run is counted once, in every pool, whoever ends it; and Prometheus can read it."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

import httpx
import pytest
from celery import Celery
from celery.worker import state
from prometheus_client.parser import text_string_to_metric_families

from celerylab import Lab
from celerylab.stack.ports import free_port
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from labtasks import queue_health
from labtasks.metrics.endpoint import running

MODULE = "tests.labtasks.measured"
QUEUE = "measured"

Scrape = Callable[[], dict[tuple[str, ...], float]]


@pytest.fixture(scope="module")
def producer(lab: Lab) -> Celery:
    app = Celery("producer", broker=lab.url, backend=lab.url, set_as_current=False)
    queue_health.stamp(app, names=lambda name: name.startswith(MODULE))
    return app


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the workers of a test put their folders."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def measured(lab: Lab, pool: str, *options: str) -> Iterator[tuple[Worker, Scrape]]:
    port = free_port()
    env = {"CELERYLAB_METRICS_PORT": str(port)}
    worker = lab.worker(MODULE, pool=pool, concurrency=2, queues=[QUEUE], env=env, options=options)

    def scrape() -> dict[tuple[str, ...], float]:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=20)
        assert answer.is_success, worker.log()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    try:
        yield worker, scrape
    finally:
        worker.kill()


def send(producer: Celery, name: str, *args: object, **options: object) -> object:
    return producer.send_task(f"{MODULE}.{name}", args, queue=QUEUE, **options)


def ended(scrape: Scrape) -> dict[tuple[str, str], int]:
    """Return how many runs have ended, by task and state."""
    found: dict[tuple[str, str], int] = {}
    for (name, *labels), value in scrape().items():
        if name == "celery_tasks_total":
            task, state = sorted(labels, key=str.isupper)  # labels come in any order
            found[task.rpartition(".")[2], state] = int(value)
    return found


def until_ended(scrape: Scrape, expected: dict[tuple[str, str], int]) -> None:
    """A result is stored before the end of its task is counted."""
    wait_for(1, "count", lambda: [True] if sum(ended(scrape).values()) >= sum(expected.values()) else [], 20)
    assert ended(scrape) == expected


EXPECTED = {
    ("nap", "SUCCESS"): 4,
    ("fail", "FAILURE"): 2,
    ("retry", "RETRY"): 2,
    ("retry", "FAILURE"): 1,
    ("reject", "REJECTED"): 1,
    ("ignore", "IGNORED"): 1,
    ("(not registered)", "FAILURE"): 1,
    ("nap", "REVOKED"): 1,
}


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_every_run_is_counted_once_with_its_times(
    lab: Lab, producer: Celery, temporary: Path, pool: str
) -> None:
    with measured(lab, pool) as (worker, scrape):
        send(producer, "unheard of")
        send(producer, "nap", 0, expires=-1)
        for name in ("fail", "fail", "retry", "reject", "ignore"):
            send(producer, name)
        for _ in range(4):
            send(producer, "nap", 0.1)
        until_ended(scrape, EXPECTED)
        found = scrape()
        ran, waited = (f"celery_task_{what}_seconds" for what in ("run", "wait"))
        assert found[f"{ran}_count", f"{MODULE}.nap"] == 4
        assert 0.4 <= found[f"{ran}_sum", f"{MODULE}.nap"] < 4
        # the countdown of a retry is no waiting
        assert found[f"{waited}_count", f"{MODULE}.retry"] == 3
        assert found["celery_queue_messages", QUEUE] == found["celery_queue_oldest_seconds", QUEUE] == 0
        worker.stop(timeout=60)
    assert list(temporary.glob("*labtasks-metrics-*")) == []


def test_what_the_main_process_alone_can_tell(lab: Lab, producer: Celery, temporary: Path) -> None:
    """Children that die take no count with them, and leave no files for ever."""
    with measured(lab, "prefork", "--max-tasks-per-child=1") as (worker, scrape):
        for name in ("die", "exceed", "fail", "fail", "fail"):
            send(producer, name)
        expected = {("die", "FAILURE"): 1, ("exceed", "FAILURE"): 1, ("fail", "FAILURE"): 3}
        until_ended(scrape, expected)
        send(producer, "wait", "gate")
        worker.until(running=1)
        assert scrape()["celery_tasks_running", f"{MODULE}.wait"] == 1
        lab.client.control.revoke(
            worker.inspect("active")[0]["id"],
            terminate=True,
            destination=[worker.node],
        )
        until_ended(scrape, expected | {("wait", "REVOKED"): 1})
        (folder,) = temporary.glob("labtasks-metrics-*")

        def dead() -> list[Path]:
            scrape()
            known = {"gone", *map(str, worker.tree)}
            return [path for path in folder.glob("*.db") if path.stem.partition("_")[2] not in known]

        wait_for(1, "moment", lambda: [] if dead() else [True], 20)
        assert ended(scrape) == expected | {("wait", "REVOKED"): 1}
        ran = {
            task: scrape()["celery_task_run_seconds_count", f"{MODULE}.{task}"] for task in ("exceed", "fail")
        }
        assert ran == {"exceed": 1, "fail": 3}
        worker.kill()
    # nobody was left to remove the folder: the next worker does
    assert folder.exists()
    with measured(lab, "prefork"):
        assert not folder.exists()


def test_a_file_that_a_process_has_only_just_made_spoils_no_scrape(
    lab: Lab, producer: Celery, temporary: Path
) -> None:
    """It is empty at first, and stays so if its process is killed in that moment."""
    with measured(lab, "prefork") as (worker, scrape), subprocess.Popen([sys.executable, "-V"]) as gone:
        (folder,) = wait_for(1, "folder", lambda: list(temporary.glob("labtasks-metrics-*")), 20)
        worker.until(running=0)
        gone.wait()
        young, dead = (folder / f"counter_{pid}.db" for pid in (os.getpid(), gone.pid))
        for path in (young, dead):
            path.touch()
        send(producer, "nap", 0)
        until_ended(scrape, {("nap", "SUCCESS"): 1})
        assert young.exists()
        assert not dead.exists()


@dataclass(eq=False)
class Request:
    name: str


def test_what_runs_can_be_counted_while_tasks_begin_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request("tasks.long") for _ in range(3)]
    monkeypatch.setattr(state, "active_requests", WeakSet(requests))
    done = threading.Event()

    def begin_and_end() -> None:
        while not done.is_set():
            state.active_requests.add(short := Request("tasks.short"))
            state.active_requests.discard(short)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    pool = threading.Thread(target=begin_and_end)
    pool.start()
    try:
        for _ in range(20_000):
            found = {sample.labels["task"]: sample.value for sample in running().samples}
            assert found["tasks.long"] == 3
    finally:
        done.set()
        pool.join()
        sys.setswitchinterval(interval)


def test_queues_tell_how_long_their_oldest_message_waits(lab: Lab, producer: Celery, temporary: Path) -> None:
    for priority in (9, 0):
        producer.send_task(f"{MODULE}.fail", queue="unread", priority=priority)
    with measured(lab, "threads") as (_, scrape):
        first = scrape()["celery_queue_oldest_seconds", "unread"]
        found = scrape()
        assert found["celery_queue_messages", "unread"] == 2
        assert found["celery_queue_oldest_seconds", "unread"] > first > 0
    assert list(temporary.glob("*labtasks-metrics-*")) == []  # threads need none
    lab.redis.delete("unread", "unread\x06\x169")


def test_a_port_that_is_taken_stops_no_worker(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        env = {"CELERYLAB_METRICS_PORT": str(other.getsockname()[1])}
        with lab.worker(MODULE, pool="solo", queues=[QUEUE], env=env) as worker:
            wait_for(1, "line", lambda: list(worker.log("no metrics: nothing can listen")), 20)
            worker.kill()


def test_without_a_port_nothing_is_loaded() -> None:
    code = (
        "import os, sys; os.environ['CELERYLAB_BROKER_URL'] = 'redis://127.0.0.1:1'\n"
        "from celery import signals; import tests.labtasks.measured\n"
        "print('prometheus_client' in sys.modules, len(signals.worker_init.receivers))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "0"]
