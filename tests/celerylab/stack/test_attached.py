"""A lab on a broker that others use, too."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celerylab import Lab
from celerylab.stack.attached import clear_leftovers
from celerylab.stack.keys import UNACKED_MUTEX
from tests.processes import within

MODULE = """
import os
from celery import Celery
url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_left", broker=url, backend=url)

@app.task
def wait():
    import time
    time.sleep(60)
"""
ELSEWHERE = "from celerylab import lab; lab.start(); import sys; sys.stdout.flush(); input()"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The lab whose broker and worker another one attaches to."""
    monkeypatch.chdir(tmp_path)
    made = Lab()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def attached() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.stop()


def leave_things(host: Lab) -> str:
    """Leave what a lesson leaves: messages waiting and held by a killed worker, a gate, results."""
    Path("tasks_left.py").write_text(MODULE)
    worker = host.worker("tasks_left", concurrency=1)
    for n in range(7):
        host.client.send_task("tasks_left.wait", task_id=f"left-{n}")
    worker.until(running=1)
    worker.kill()
    host.redis.set("gate 1", "open")
    host.redis.set("celery-task-meta-left-0", "{}")
    kept = host.client.send_task("labtasks.basics.add", (1, 2), queue="labtasks")
    kept.get(timeout=10)
    # its result may be there before its acknowledgement
    assert within(10, lambda: len(host.queues().rows) == 1)
    return str(kept.id)


def kept_keys(host: Lab) -> set[bytes]:
    """Return the keys, without those that come and go with what the bundled worker does by itself."""
    return {key for key in host.redis.keys("*") if key != UNACKED_MUTEX.encode() and b".reply." not in key}


def test_start_clears_what_lessons_left_in_a_database_of_the_labs_own(
    host: Lab, attached: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = leave_things(host)
    monkeypatch.setenv("CELERYLAB_BROKER_OWNED", "true")
    attached.start()
    assert attached.queues().rows == []
    assert not host.redis.exists("gate 1", "celery-task-meta-left-0", "unacked", "unacked_index")
    assert attached.client.AsyncResult(kept).result == 3
    assert attached.client.send_task("labtasks.basics.add", (2, 2), queue="labtasks").get(timeout=10) == 4


def test_second_start_keeps_what_the_lesson_has_by_then(
    host: Lab, attached: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_BROKER_OWNED", "true")
    attached.start()
    leave_things(host)
    before = kept_keys(host)
    attached.start()
    assert kept_keys(host) == before


def test_nothing_is_cleared_while_no_worker_says_which_queues_are_its_own(host: Lab) -> None:
    leave_things(host)
    before = kept_keys(host)
    clear_leftovers(host.redis, keep=())
    assert kept_keys(host) == before


def test_start_leaves_another_database_as_it_is(host: Lab, attached: Lab) -> None:
    leave_things(host)
    before = kept_keys(host)
    attached.start()
    assert kept_keys(host) == before


def test_start_beside_another_notebook_clears_nothing_and_says_so(
    host: Lab, attached: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_BROKER_OWNED", "true")
    other = subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout is not None
        assert b"attached" in other.stdout.readline()  # its start is over: it clears nothing any more
        host.redis.set("gate 1", "open")
        attached.start()
        assert "attached besides this one: 1" in repr(attached)
        assert host.redis.exists("gate 1")
        other.communicate(b"\n")
    assert within(5, lambda: "besides" not in repr(attached))


def test_private_start_has_a_broker_of_its_own_whatever_the_environment_says(
    host: Lab, attached: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_RESULT_BACKEND", "db+sqlite:////nowhere/results")
    attached.start(private=True)
    assert attached.url != host.url
    assert attached.bundled.alive
    sent = attached.client.send_task("labtasks.basics.add", (2, 2), queue="labtasks")
    assert sent.get(timeout=10) == 4


def test_attached_lab_keeps_mail_and_records_that_nobody_else_does(
    host: Lab, attached: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CELERYLAB_SMTP_HOST", "CELERYLAB_SMTP_PORT", "CELERYLAB_DATABASE_URL"):
        monkeypatch.delenv(name)
    attached.start()
    program = (
        "from labtasks import mail, users; mail.send_welcome_email(users.register('Aiko', 'aiko@b.example'))"
    )
    mailbox = attached.mailbox()
    subprocess.run([sys.executable, "-c", program], check=True)
    assert [mail["To"] for mail in mailbox.wait(1)] == ["aiko@b.example"]
