"""Whatever fails for good is kept once, whoever tells of it, and nothing else is."""

from datetime import date
from pathlib import Path

import pytest

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from labtasks.dead_letters import KINDS, DeadLetter, DeadLetters
from labtasks.dead_letters.spool import Spool
from tests.labtasks.letters import FAILING, running, send, until

ENDS_WELL = ("die_once", "reject_once")
KIND_OF = {
    "fail": "exception",
    "fail_strangely": "exception",
    "retry": "exception",
    "send_a_set": "exception",
    "exceed_softly": "soft time limit",
    "exceed": "hard time limit",
    "die": "process lost",
    "reject": "rejected",
    "expired": "expired",
    "revoked": "revoked",
    "wait": "terminated",
    "nowhere": "not registered",
    "pickled": "refused content type",
    "return_a_set": "result not serialisable",
}


@pytest.fixture(scope="module")
def letters(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[DeadLetter]:
    """What is kept when a task of each kind has failed, and some others have not."""
    folder = tmp_path_factory.mktemp("once")
    store = DeadLetters(lab.url, "kinds")
    control = lab.client.control
    with running(lab, "kinds", concurrency=4) as worker:
        control.revoke("revoked", destination=[worker.node], reply=True)
        for name in KIND_OF:
            if name not in ("expired", "revoked", "wait", "nowhere", "pickled"):
                send(lab, name)
        with lab.client.connection_for_write() as connection:
            connection.SimpleQueue("celery").put({"hello": "you"})
        send(lab, "wait", "gate")
        send(lab, "fail", task_id="revoked")
        send(lab, "fail", task_id="expired", expires=-10)
        send(lab, "nowhere", date(2026, 2, 28))
        send(lab, "fail", {1}, task_id="pickled", serializer="pickle")
        done = [send(lab, name, str(folder / name)) for name in ENDS_WELL] + [send(lab, "retry_once")]
        send(lab, "ignore")
        send(lab, "exceed_once", str(folder / "exceed_once"))
        assert lab.redis.blpop("gate:begun", timeout=20)
        control.revoke("wait", terminate=True, destination=[worker.node])
        for result in done:
            result.get(timeout=30)
        wait_for(1, "files", lambda: list(folder.glob("*.done")), 30)
        wait_for(len(KIND_OF) + 1, "letters", store.find, 30)
        worker.until(running=0, reserved=0)
        # told by the main process in the order in which they ended: this one is the last
        send(lab, "reject", task_id="last")
        wait_for(1, "letter", lambda: [one for one in store.find() if one.id == "last"], 20)
    return [one for one in store.find() if one.id != "last"]


@pytest.mark.parametrize(("task_id", "kind"), KIND_OF.items())
def test_every_failure_gives_one_letter(letters: list[DeadLetter], task_id: str, kind: str) -> None:
    (found,) = [one for one in letters if one.id == task_id]
    assert found.kind == kind
    assert (found.queue, found.root_id) == ("celery", task_id)
    assert found.node == "failing@lab"
    name = task_id if task_id not in ("expired", "revoked", "pickled") else "fail"
    assert found.task == f"{FAILING}.{name}"


def test_what_has_not_failed_for_good_gives_none(letters: list[DeadLetter]) -> None:
    assert {one.id for one in letters if one.task} == set(KIND_OF)
    assert set(KINDS) - {one.kind for one in letters} == {"internal error"}, "has a test of its own"


def test_letter_says_what_was_raised_where_and_how_often_it_was_tried(letters: list[DeadLetter]) -> None:
    found = {one.id: one for one in letters}
    assert found["fail"].exception == f"{FAILING}.Fault"
    assert found["fail"].message == "called with 0 and 0"
    assert 'raise Fault(f"called with' in found["fail"].traceback
    assert found["retry"].retries == 2
    assert found["fail_strangely"].exception == f"{FAILING}.Unprintable"
    assert found["nowhere"].read_arguments() == ([date(2026, 2, 28)], {})
    assert found["pickled"].call == "({1},) {}"
    assert found["pickled"].problem
    assert "never" not in found["pickled"].problem


def test_letter_of_a_message_that_is_no_task(letters: list[DeadLetter]) -> None:
    (found,) = [one for one in letters if one.kind == "no task message"]
    assert (found.task, found.arguments) == ("", None)
    assert "hello" in found.call


def test_result_that_nobody_could_store_gives_a_letter(lab: Lab, tmp_path: Path) -> None:
    """Celery sends no task_failure then: storing the failure fails, too."""
    store = DeadLetters(lab.url, "backend")
    with running(lab, "backend", env={"FAILING_BACKEND": "redis://127.0.0.1:1/0"}):
        send(lab, "note", str(tmp_path / "done"), task_id="done")
        send(lab, "fail", task_id="failed")
        found = wait_for(2, "letters", store.find, 30)
    assert {(one.id, one.kind) for one in found} == {("done", "internal error"), ("failed", "internal error")}
    assert "called with 0 and 0" in next(one.traceback for one in found if one.id == "failed")


def test_nothing_is_lost_while_the_store_is_away(lab: Lab, tmp_path: Path) -> None:
    broker, hook = lab.broker(keep=True), lab.webhook(failures=1)
    store = DeadLetters(broker.url, "away")
    env = {
        "FAILING_STORE": broker.url,
        "CELERYLAB_ALERT_URL": hook.url,
        "CELERYLAB_WORK_FOLDER": str(tmp_path),
    }
    spool = Spool(tmp_path / "dead-letters" / "away")
    with running(lab, "away", env=env):
        send(lab, "fail", 1, task_id="before")
        wait_for(2, "requests", lambda: hook, 20)  # the first was answered with an error
        until(lambda: not store.alerts_waiting())
        broker.stop()
        send(lab, "fail", 2, task_id="child")  # told by a process of the pool
        send(lab, "exceed", task_id="parent")  # told by the main process, twice
        wait_for(2, "files", spool.waiting, 20)
        broker.start()
        wait_for(3, "letters", store.find, 20)
        wait_for(4, "requests", lambda: hook, 20)
        send(lab, "fail", 3, task_id="after")
        wait_for(5, "requests", lambda: hook, 20)
    assert spool.waiting() == []
    assert sorted(one.body["id"] for one in hook) == ["after", "before", "before", "child", "parent"]
    assert {one.id: one.read_arguments()[0] for one in store.all()}["child"] == [2]


def test_letters_of_a_worker_that_ended_are_found_on_the_disk_by_the_next(lab: Lab, tmp_path: Path) -> None:
    broker = lab.broker(keep=True)
    broker.stop()
    store = DeadLetters(broker.url, "left")
    env = {"FAILING_STORE": broker.url, "CELERYLAB_WORK_FOLDER": str(tmp_path)}
    spool = Spool(tmp_path / "dead-letters" / "left")
    with running(lab, "left", env=env):
        send(lab, "fail", task_id="left")
        wait_for(1, "file", spool.waiting, 20)
    broker.start()
    assert store.count() == 0
    with running(lab, "left", env=env):
        assert [one.id for one in wait_for(1, "letter", store.find, 20)] == ["left"]
