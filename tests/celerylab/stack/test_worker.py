"""What a worker says of itself: its tasks, its memory, how long it took to start."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from celerylab import Lab
from celerylab.errors import Timeout
from celerylab.stack import control
from celerylab.stack.worker import Worker
from celerylab.views.queues import queues

MODULE = """
import os, time
from celery import Celery
from celery.worker.request import Request
app = Celery("waiting", broker=os.environ["CELERYLAB_BROKER_URL"], backend=os.environ["CELERYLAB_BROKER_URL"])

@app.task
def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)

@app.task
def now():
    return time.time()

hear = Request.on_accepted

def hear_late(request, *args, **kwargs):
    if request.name == "waiting.now":
        time.sleep(0.3)
    hear(request, *args, **kwargs)

Request.on_accepted = hear_late
"""
TASKS = ["waiting.now", "waiting.wait_for"]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Worker]]:
    folder, before = tmp_path_factory.mktemp("module"), Path.cwd()
    (folder / "waiting.py").write_text(MODULE)
    os.chdir(folder)
    lab = Lab()
    lab.start()
    yield lab, lab.worker("waiting", concurrency=1)
    lab.stop()
    os.chdir(before)


def test_until_when_tasks_run_and_wait_in_reserve(worker: tuple[Lab, Worker], tmp_path: Path) -> None:
    lab, waiting = worker
    results = [lab.client.send_task("waiting.wait_for", (str(tmp_path / "gate"),)) for _ in range(7)]
    waiting.until(running=1, reserved=4)
    assert queues(lab.redis).rows == [["celery", 2, 4]]
    with pytest.raises(Timeout, match="it runs 1 tasks and holds 4 in reserve"):
        waiting.until(running=2, timeout=0.1)
    (tmp_path / "gate").touch()
    for result in results:
        result.get(timeout=10)
    waiting.until(running=0, reserved=0)


def test_kill_waits_while_messages_are_given_back(worker: tuple[Lab, Worker]) -> None:
    lab, _ = worker
    with lab.worker("waiting", name="restoring") as made, ThreadPoolExecutor() as beside:
        lab.redis.set("unacked_mutex", "held", px=20_000)
        killed = beside.submit(made.kill)
        with pytest.raises(TimeoutError):
            killed.result(timeout=0.3)
        assert lab.redis.delete("unacked_mutex"), "it was held all the time"
        killed.result(timeout=10)
        assert not made.alive


def test_until_after_its_broker_was_restarted(worker: tuple[Lab, Worker]) -> None:
    lab, _ = worker
    broker = lab.broker()
    with lab.worker("waiting", name="restarted", broker=broker) as restarted:
        restarted.until(running=0)
        broker.restart()
        restarted.until(running=0, reserved=0, timeout=20)
        restarted.kill()


def test_memory_is_that_of_all_its_processes(worker: tuple[Lab, Worker]) -> None:
    _, waiting = worker
    assert len(waiting.tree) == 2
    assert 20 < waiting.memory < 400


def test_ready_after_is_measured(worker: tuple[Lab, Worker]) -> None:
    assert 0 < worker[1].ready_after < 60


def test_what_a_worker_answers_is_its_own_answer(worker: tuple[Lab, Worker]) -> None:
    _, waiting = worker
    assert waiting.inspect("registered") == TASKS
    assert waiting.inspect("stats")["pool"]["implementation"].endswith("prefork:TaskPool")
    os.kill(waiting.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Timeout, match=r"Waited 0\.1 s for waiting@lab: it does not answer"):
            waiting.inspect("active", timeout=0.1)
    finally:
        os.kill(waiting.pid, signal.SIGCONT)


def test_task_starts_when_its_process_begins_it_and_not_when_the_worker_hears_of_it(
    worker: tuple[Lab, Worker],
) -> None:
    lab, waiting = worker
    with lab.watch() as seen:
        began = lab.client.send_task("waiting.now").get(timeout=20)
    (run,) = seen
    assert run.received < run.started <= began
    assert run.process in waiting.processes


def test_late_answer_to_one_question_is_not_taken_for_that_to_the_next(worker: tuple[Lab, Worker]) -> None:
    lab, waiting = worker
    for _ in range(20):
        os.kill(waiting.pid, signal.SIGSTOP)
        assert not control.ping(lab.url, waiting.node)
        os.kill(waiting.pid, signal.SIGCONT)
        assert control.asked(lab.url, waiting.node, "registered", 30) == TASKS
