"""The WebSocket on which a task is followed."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from celerylab import Lab
from celerylab.stack.broker import Broker
from tests.labtasks.web.serving import KEY, SECOND, ended, served, submit, until
from tests.processes import within

PATIENCE = 30.0  # s


@pytest.fixture(scope="module")
def api(lab: Lab) -> Iterator[httpx.Client]:
    with served(lab) as (_, client):
        yield client


@contextmanager
def following(client: httpx.Client, task_id: str, said: object = None) -> Iterator[ClientConnection]:
    address = str(client.base_url).replace("http", "ws").rstrip("/")
    with connect(f"{address}/tasks/{task_id}/events", proxy=None) as socket:
        with suppress(ConnectionClosed):  # refused before a word was said
            socket.send(json.dumps({"key": KEY}) if said is None else said)  # type: ignore[arg-type]
        yield socket


def told(socket: ClientConnection) -> tuple[list[dict[str, Any]], int | None]:
    """Return all that comes, and the code with which the other side closes."""
    found = []
    try:
        while True:
            found.append(json.loads(socket.recv(timeout=PATIENCE)))
    except ConnectionClosed:
        return [each for each in found if "heartbeat" not in each], socket.close_code


def test_every_change_is_told_until_the_end(api: httpx.Client) -> None:
    with following(api, submit(api, "long", seconds=1.5)) as socket:
        tasks, code = told(socket)
    assert code == 1000
    progress = [task["progress"]["current"] for task in tasks if task["progress"]]
    assert len(progress) >= 3
    assert progress == sorted(progress)
    assert [task["ended"] for task in tasks] == [False] * (len(tasks) - 1) + [True]
    # the last message is what a poll would have found
    assert tasks[-1] == ended(api, tasks[-1]["id"])
    assert tasks[-1]["result"] == "done after 1.5 s"


def test_task_that_has_ended_is_told_once(api: httpx.Client) -> None:
    found = ended(api, submit(api, "add", x=2, y=3))
    with following(api, found["id"]) as socket:
        assert told(socket) == ([found], 1000)


def test_cancelling_is_told(api: httpx.Client) -> None:
    task_id = submit(api, "long", seconds=60)
    until(api, task_id, lambda task: task["state"] == "PROGRESS")
    with following(api, task_id) as socket:
        socket.recv(timeout=PATIENCE)
        api.delete(f"/tasks/{task_id}")
        tasks, code = told(socket)
    assert (tasks[-1]["state"], tasks[-1]["progress"], code) == ("REVOKED", None, 1000)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (json.dumps({"key": KEY[:-1]}), 4401),
        (json.dumps({"key": None}), 4401),
        (json.dumps([KEY]), 4401),
        ("{", 4401),
        (b"\xff\xfe", 4401),
        ("[" * 100_000, 4401),
        (json.dumps({"key": KEY}), 4404),
    ],
    ids=["wrong", "none", "list", "broken", "bytes", "long", "unknown"],
)
def test_socket_is_closed_for_a_wrong_key_and_for_a_task_that_there_is_not(
    api: httpx.Client, said: str | bytes, code: int
) -> None:
    with following(api, str(uuid4()), said) as socket:
        assert told(socket) == ([], code)


def test_one_connection_listens_for_all_sockets(lab: Lab, api: httpx.Client) -> None:
    def listeners() -> int:
        # those of labtasks' own workers, and of this test's client, listen to other channels
        return sum(int(client["sub"]) > 0 for client in lab.redis.client_list(_type="pubsub"))

    def subscribed(task_id: str) -> bool:
        return f"celery-task-meta-{task_id}".encode() in lab.redis.pubsub_channels("celery-task-meta-*")

    task_id = submit(api, "long", seconds=60)
    with following(api, task_id) as first:
        first.recv(timeout=PATIENCE)
        before = listeners()
        sockets = [following(api, task_id) for _ in range(10)]
        opened = [each.__enter__() for each in sockets]
        for each in opened:
            each.recv(timeout=PATIENCE)
        assert listeners() == before
        for each in sockets[:5]:  # leaving disturbs nobody
            each.__exit__(None, None, None)
        api.delete(f"/tasks/{task_id}")
        for socket in (first, *opened[5:]):
            tasks, code = told(socket)
            assert (tasks[-1]["state"], code) == ("REVOKED", 1000)
        for each in sockets[5:]:
            each.__exit__(None, None, None)
    assert within(10, lambda: not subscribed(task_id)), "what nobody follows is listened to no more"


def test_sockets_are_closed_when_the_broker_goes_and_open_again_when_it_is_back(lab: Lab) -> None:
    broker: Broker = lab.broker(keep=True)
    with served(lab, broker, SECOND) as (_, client):
        task_id = submit(client, "long", seconds=0.5)
        with following(client, task_id) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE))["state"] == "PENDING"
            broker.stop()
            began = time.monotonic()
            assert told(socket) == ([], 1013)
            assert time.monotonic() - began < 4, "at once, and not when the next heartbeat is due"
        with following(client, task_id) as socket:
            assert told(socket) == ([], 1013)
        broker.start()
        with following(client, task_id) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE))["state"] == "PENDING"
            with lab.worker("labtasks.app:app", name="late", concurrency=1, broker=broker) as worker:
                tasks, code = told(socket)
                worker.kill()
    assert (tasks[-1]["result"], code) == ("done after 0.5 s", 1000)


def test_store_that_publishes_nothing_has_no_live_events(lab: Lab) -> None:
    database = {"CELERYLAB_RESULT_BACKEND": "db+sqlite:///:memory:"}
    with served(lab, None, SECOND, **database) as (_, client), following(client, str(uuid4())) as socket:
        assert told(socket) == ([], 1013)
