"""Dead letters sent again: the same call, once."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from celery import Celery, chain
from kombu.exceptions import OperationalError

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from labtasks.dead_letters import DeadLetters, Filter, ReplayRefused, replay, replay_all
from tests.labtasks.letters import FAILING, NOW, ROOT, letter, lines, running, send

ARGUMENTS = [
    date(2026, 2, 28),
    datetime(2026, 2, 28, 9, tzinfo=UTC),
    time(9, 30),
    Decimal("19.90"),
    uuid.UUID(int=7),
    b"\xff\x00",
    "\u65e5\u672c",
    [{"deep": Decimal("1")}],
]


@pytest.fixture(scope="module")
def store(lab: Lab) -> DeadLetters:
    return DeadLetters(lab.url, "replays")


@pytest.fixture(autouse=True)
def cleared(store: DeadLetters) -> None:
    for each in store.find():
        store.drop(each.id)


@pytest.fixture(scope="module")
def worker(lab: Lab, store: DeadLetters) -> Iterator[None]:
    with running(lab, store.name, concurrency=2, queues=["celery", "elsewhere"]):
        yield


@pytest.mark.usefixtures("worker")
def test_replay_has_the_same_arguments_and_queue_and_what_follows(
    lab: Lab, store: DeadLetters, tmp_path: Path
) -> None:
    path, then = tmp_path / "lines", tmp_path / "then"
    path.with_suffix(".fail").touch()
    first = lab.client.signature(
        f"{FAILING}.note", (str(path), *ARGUMENTS), {"at": ARGUMENTS[0]}, queue="elsewhere"
    )
    second = lab.client.signature(f"{FAILING}.note", (str(then),), immutable=True)
    chain(first, second, app=lab.client).apply_async()
    (found,) = wait_for(1, "letter", store.find, 20)
    assert found.read_arguments() == ([str(path), *ARGUMENTS], {"at": ARGUMENTS[0]})
    assert (found.queue, lines(then)) == ("elsewhere", [])

    path.with_suffix(".fail").unlink()
    new_id = replay(store, lab.client, found.id)
    lab.client.AsyncResult(new_id).get(timeout=20)
    before, after = lines(path)
    assert before == after
    assert after.endswith(" elsewhere")
    wait_for(1, "lines", lambda: lines(then), 20)
    assert (store.get(found.id).state, store.get(found.id).replayed_as) == ("replayed", new_id)
    with pytest.raises(ReplayRefused, match=f"was replayed already, as {new_id}"):
        replay(store, lab.client, found.id, force=True)


@pytest.mark.usefixtures("worker")
def test_replay_that_fails_again_gives_a_letter_that_says_so(
    lab: Lab, store: DeadLetters, tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    path.with_suffix(".fail").touch()
    last = send(lab, "note", str(path), task_id=uuid.uuid4().hex).id
    for n in (1, 2):
        wait_for(n, "letters", store.find, 20)
        new = replay(store, lab.client, last)
        wait_for(n + 1, "letters", store.find, 20)
        found = store.get(new)
        assert (found.replay_of, found.replays, found.kind) == (last, n, "exception")
        last = new


@pytest.mark.usefixtures("worker")
def test_of_many_who_replay_one_letter_one_does(lab: Lab, store: DeadLetters, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    kept = letter("once", task=f"{FAILING}.note", args=(str(path),), routing_key="celery")
    store.add(kept)
    code = """if True:
        import sys
        from celerylab.stack.control import client
        from labtasks.dead_letters import DeadLetters, ReplayRefused, replay
        store, app = DeadLetters(sys.argv[1], sys.argv[2]), client(sys.argv[1])
        store.count()
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            print("sent", replay(store, app, "once"))
        except ReplayRefused as refused:
            print("refused", refused)
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code, store.url, store.name]
    together = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(4)]
    for process in together:
        assert process.stdout.readline() == "ready\n"
    for process in together:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=30)[0] for process in together]
    (sent,) = [each.split()[1] for each in said if each.startswith("sent")]
    assert sum(each.startswith("refused") for each in said) == 3
    lab.client.AsyncResult(sent).get(timeout=20)
    send(lab, "note", str(tmp_path / "after"), task_id=uuid.uuid4().hex).get(timeout=20)
    assert len(lines(path)) == 1


@pytest.mark.usefixtures("worker")
def test_replay_that_was_begun_by_somebody_who_is_gone_can_be_forced(
    lab: Lab, store: DeadLetters, tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    store.add(letter("left", task=f"{FAILING}.note", args=(str(path),), routing_key="celery"))
    assert store.claim("left", "never-sent") == "yours"
    assert store.get("left").state == "claimed"
    with pytest.raises(ReplayRefused, match=r"as never-sent was begun at .* and has not ended"):
        replay(store, lab.client, "left")
    new = replay(store, lab.client, "left", force=True)
    store.settle("left", "never-sent", "open")  # whoever began it was only slow
    assert (store.get("left").state, store.get("left").replayed_as) == ("replayed", new)


@pytest.mark.parametrize("how", ["gone", "full"])
def test_replay_that_can_not_be_sent_gives_the_letter_back(lab: Lab, store: DeadLetters, how: str) -> None:
    broker = lab.broker()
    client = Celery("client", set_as_current=False)
    client.conf.update(broker_url=broker.url, task_publish_retry=False)
    store.add(letter("a", task="t", routing_key="celery"))
    if how == "gone":
        broker.kill()
    else:
        broker.redis().config_set("maxmemory", "1")
    with pytest.raises(OperationalError):
        replay(store, client, "a")
    assert (store.get("a").state, store.get("a").replayed_as) == ("open", None)


def test_all_that_can_be_replayed_are_replayed_oldest_first(lab: Lab, store: DeadLetters) -> None:
    for n in range(3):
        store.add(letter(f"{n}", task="t", routing_key="nobody", args=(n,), failed_at=NOW + n))
    store.add(letter("set", args=({1},), failed_at=NOW + 9))
    store.add(letter("other", task="other"))
    done = list(replay_all(store, lab.client, Filter(task="t")))
    assert [(one.id, one.new_id is None) for one in done] == [
        ("0", False),
        ("1", False),
        ("2", False),
        ("set", True),
    ]
    assert done[-1].problem is not None
    assert done[-1].problem.startswith("JSON can't take its arguments: ")
    waiting = [lab.peek("nobody", n) for n in range(3)]
    assert [message.body[0] for message in waiting] == [[0], [1], [2]]
    assert [message.headers["replay_of"] for message in waiting] == ["0", "1", "2"]
    assert [one.id for one in replay_all(store, lab.client, Filter(task="t"))] == ["set"]
    assert store.get("other").state == "open"
