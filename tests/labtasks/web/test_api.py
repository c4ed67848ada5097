"""The API as its clients meet it: served, with a real broker and real workers."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest

from celerylab import Lab
from celerylab.errors import ProcessFailed
from celerylab.stack.broker import Broker
from labtasks.settings import SettingsError
from labtasks.web.api import create_app
from labtasks.web.api.answers import Refused
from labtasks.web.api.guard import Guard
from tests.labtasks.web.serving import KEY, SECOND, THIRD, ended, served, submit, until
from tests.processes import within

SOON = 4.0  # s: one second of patience, on a machine that is busy


@pytest.fixture(scope="module")
def api(lab: Lab) -> Iterator[httpx.Client]:
    with served(lab) as (_, client):
        yield client


@pytest.mark.parametrize(
    ("kind", "asked", "result"),
    [
        ("add", {"x": 2, "y": 0.5}, 2.5),
        ("long", {"seconds": 0.2}, "done after 0.2 s"),
        (
            "process",
            {"data": [3, 1, 2]},
            {"count": 3, "total": 6, "mean": 2, "smallest": 1, "largest": 3},
        ),
    ],
)
def test_task_is_taken_and_can_be_followed_to_its_result(
    api: httpx.Client, kind: str, asked: dict[str, Any], result: object
) -> None:
    taken = api.post(f"/tasks/{kind}", json=asked)
    assert taken.status_code == 202
    found = ended(api, taken.json()["id"])
    assert (found["state"], found["result"], found["error"]) == ("SUCCESS", result, None)
    # submitted_at is given in UTC, and does not change
    assert found == api.get(taken.headers["Location"]).json()
    assert found["submitted_at"] == taken.json()["submitted_at"]
    assert found["submitted_at"].endswith("Z")


def test_id_that_was_never_sent_from_here_is_404_whatever_celery_says(lab: Lab, api: httpx.Client) -> None:
    # the backend has a result for this one: others' tasks are none of this service's clients' business
    other = lab.client.send_task("labtasks.basics.add", (2, 3), queue="labtasks")
    assert other.get(timeout=20) == 5
    for never in (str(uuid4()), other.id, "nonsense", "x" * 2000, "%00", "%ED%A0%80", "..%2Fhealth"):
        assert api.get(f"/tasks/{never}").status_code == 404, never
        assert api.delete(f"/tasks/{never}").status_code == 404, never


def test_task_whose_result_has_expired_is_404_and_not_pending_for_ever(lab: Lab, api: httpx.Client) -> None:
    task_id = submit(api, "add", x=1, y=1)
    ended(api, task_id)
    lab.redis.delete(f"celery-task-meta-{task_id}")
    assert api.get(f"/tasks/{task_id}").json()["state"] == "PENDING"  # for all the service knows, it waits
    # after an hour it doesn't: nothing waits so long, and results are kept longer than that
    lab.redis.hset(f"celerylab-api:{task_id}", "at", repr(time.time() - 3600))
    assert api.get(f"/tasks/{task_id}").status_code == 404
    # the id outlives any result of its task
    assert lab.redis.ttl(f"celerylab-api:{task_id}") > 3600 + 1200


NUMBERS = ", ".join("1" * 10_001)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("add", '{"x": 1}', 422),
        ("add", '{"x": 1, "y": 2, "z": 3}', 422),
        ("add", '{"x": "1", "y": 2}', 422),
        ("add", '{"x": true, "y": 2}', 422),
        ("add", '{"x": NaN, "y": 2}', 422),
        ("add", '{"x": -Infinity, "y": 2}', 422),
        ("add", '{"x": 1e999, "y": 2}', 422),
        ("add", '{"x": 1e16, "y": 2}', 422),
        ("add", '{"x": "\\ud800", "\\ud800": 2}', 422),
        ("add", "[]", 422),
        ("add", "null", 422),
        ("add", "", 422),
        ("add", '{"x": 1', 422),
        ("add", '{"x": ' + "1" * 5000 + ', "y": 2}', 400),  # more digits than Python takes
        ("add", b'{"x": "\xff"}', 400),
        ("add", "[" * 100_000, 400),
        ("long", '{"seconds": -0.1}', 422),
        ("long", '{"seconds": 60.5}', 422),
        ("process", '{"data": []}', 422),
        ("process", '{"data": [1, null]}', 422),
        ("process", f'{{"data": [{NUMBERS}]}}', 422),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_is_refused_with_a_reason_and_sends_nothing(
    lab: Lab, api: httpx.Client, path: str, body: str | bytes, status: int
) -> None:
    before = sorted(lab.redis.keys("celerylab-api:*"))
    headers = {"Content-Type": "application/json"}
    answer = api.post(f"/tasks/{path}", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert status == 400 or answer.json()["errors"][0]["where"].startswith("body")
    assert sorted(lab.redis.keys("celerylab-api:*")) == before


def test_body_that_is_too_large_is_refused_with_or_without_its_length(api: httpx.Client) -> None:
    announced = api.post("/tasks/add", content=b" " * 300_000)
    endless = api.post("/tasks/add", content=(b" " * 1000 for _ in range(300)))
    assert (announced.status_code, endless.status_code) == (413, 413)
    assert "262144 bytes" in announced.json()["detail"] == endless.json()["detail"]


@pytest.mark.parametrize("key", [None, "", KEY[:-1], f"{KEY} x", KEY.upper(), "schlüssel"])
def test_without_the_key_nothing_under_tasks_answers(api: httpx.Client, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key.encode()}
    for method, path in (
        ("POST", "/tasks/add"),
        ("GET", f"/tasks/{uuid4()}"),
        ("DELETE", "/tasks/x"),
        ("GET", "/tasks/x/y"),
    ):
        # the body is not even looked at
        answer = httpx.request(method, f"{api.base_url}{path}", headers=headers, timeout=20)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "ApiKey")
    assert httpx.get(f"{api.base_url}/tasks/x?X-API-Key={KEY}&key={KEY}").status_code == 401
    assert httpx.get(f"{api.base_url}/health").json() == {"status": "ok"}


def test_no_path_leads_around_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_API_KEY", KEY)
    monkeypatch.setenv("CELERYLAB_BROKER_URL", "redis://127.0.0.1:1/0")
    app = create_app(guard=Guard(KEY, "9/second"))

    async def ask(root: str, path: str) -> int:
        transport = httpx.ASGITransport(app, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://service", verify=False) as client:
            return (await client.get(path)).status_code

    # as a proxy in front may put it, and as nobody would
    for root in ("", "/proxied", "/tasks"):
        for path in ("/tasks/x", "/proxied/tasks/x", "/tasks/tasks/x", "//tasks/x", "/./tasks/x"):
            assert asyncio.run(ask(root, path)) in {401, 404}, (root, path)
    assert asyncio.run(ask("/proxied", "/proxied/tasks/x")) == 401


def test_service_refuses_to_start_without_a_key_and_says_how_to_make_one(lab: Lab) -> None:
    with pytest.raises(ProcessFailed, match=r"CELERYLAB_API_KEY is not set.*secrets\.token_urlsafe"):
        lab.serve(SECOND, env={"CELERYLAB_API_KEY": ""})


@pytest.mark.parametrize(
    ("key", "rate", "message"),
    [
        ("short", "9/second", "CELERYLAB_API_KEY must be 16 or more printable ASCII characters"),
        ("a key with spaces in it", "9/second", "without spaces"),
        ("schlüssel" * 3, "9/second", "printable ASCII"),
        (KEY, "fast", "CELERYLAB_API_RATE: Expected a rate such as 1200/minute, got 'fast'"),
    ],
)
def test_settings_that_guard_nothing_are_refused(key: str, rate: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Guard(key, rate)


def test_rate_is_counted_for_all_processes_together(lab: Lab) -> None:
    own = uuid4().hex
    env = {"CELERYLAB_API_RATE": "10/minute", "CELERYLAB_API_KEY": own}
    with served(lab, target=SECOND, **env) as (_, one), served(lab, target=THIRD, **env) as (_, other):
        one.headers["X-API-Key"] = other.headers["X-API-Key"] = own
        answers = [client.get(f"/tasks/{uuid4()}") for _ in range(7) for client in (one, other)]
        assert [each.status_code for each in answers] == [404] * 10 + [429] * 4
        assert {1 <= int(each.headers["Retry-After"]) <= 120 for each in answers[10:]} == {True}
        assert own.encode() not in b"".join(lab.redis.keys())


def test_who_comes_back_when_told_to_is_let_in(lab: Lab) -> None:
    own = uuid4().hex
    guard = Guard(own, "5/second", lab.url)

    async def hammer() -> None:
        while True:
            await guard.allow(own)

    async def hammer_then_wait() -> Refused:
        try:
            with pytest.raises(Refused) as refused:
                await asyncio.wait_for(hammer(), 30)
            await asyncio.sleep(refused.value.retry or 0)
            await guard.allow(own)
            return refused.value
        finally:
            await guard.close()

    told = asyncio.run(hammer_then_wait())
    assert (told.status, told.retry) in {(429, 1), (429, 2)}


def test_cancelled_tasks_end_at_once_or_never_begin(lab: Lab, api: httpx.Client) -> None:
    long = [submit(api, "long", seconds=60) for _ in range(2)]  # as many as the worker has processes
    for each in long:
        until(api, each, lambda task: task["state"] == "PROGRESS")
    waiting = submit(api, "add", x=1, y=1)
    assert api.get(f"/tasks/{waiting}").json()["state"] == "PENDING"
    for each in (waiting, *long):
        assert api.delete(f"/tasks/{each}").status_code == 202
    for each in (waiting, *long):
        found = ended(api, each)
        assert (found["state"], found["cancelling"], found["result"]) == ("REVOKED", False, None)
        assert found["error"]["type"] == "TaskRevokedError"
        again = api.delete(f"/tasks/{each}")
        assert (again.status_code, again.json()) == (202, found)
    # the processes were ended, others have taken their place
    after = submit(api, "add", x=1, y=1)
    assert ended(api, after)["result"] == 2
    refused = api.delete(f"/tasks/{after}")
    assert (refused.status_code, ended(api, after)["state"]) == (409, "SUCCESS")


def test_database_as_result_backend_is_read_as_well(lab: Lab, tmp_path: Any) -> None:
    env = {"CELERYLAB_RESULT_BACKEND": f"db+sqlite:///{tmp_path}/results.sqlite3"}
    with (
        lab.broker() as apart,
        lab.worker("labtasks.app:app", name="database", concurrency=1, broker=apart, env=env) as worker,
        served(lab, apart, SECOND, **env) as (_, client),
    ):
        assert ended(client, submit(client, "add", x=2, y=3))["result"] == 5
        assert client.get(f"/tasks/{uuid4()}").status_code == 404
        worker.kill()


# -- while the broker is away -------------------------------------------------------------


@pytest.fixture(scope="module")
def broker(lab: Lab) -> Broker:
    return lab.broker(keep=True)


@pytest.fixture(scope="module")
def fragile(lab: Lab, broker: Broker) -> Iterator[httpx.Client]:
    with served(lab, broker, SECOND) as (_, client):
        yield client


def ask_everything(client: httpx.Client, task_id: str) -> list[tuple[int, str | None]]:
    """Ask all endpoints at the same time; return status and when to come back."""
    requests = [
        ("GET", "/health", None),
        ("POST", "/tasks/add", {"x": 1, "y": 1}),
        ("POST", "/tasks/long", {"seconds": 1}),
        ("POST", "/tasks/process", {"data": [1]}),
        ("GET", f"/tasks/{task_id}", None),
        ("DELETE", f"/tasks/{task_id}", None),
    ]
    with ThreadPoolExecutor(len(requests)) as at_once:
        answers = list(at_once.map(lambda each: client.request(each[0], each[1], json=each[2]), requests))
    return [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers]


@pytest.mark.parametrize("how", ["stopped", "hanging"])
def test_while_the_broker_is_away_every_endpoint_says_so_soon(
    fragile: httpx.Client, broker: Broker, how: str
) -> None:
    task_id = submit(fragile, "add", x=1, y=1)
    if how == "stopped":
        broker.stop()
    else:
        os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert ask_everything(fragile, task_id) == [(503, "2")] * 6
        assert time.monotonic() - began < SOON
        # a crowd is told in the time of one, and nobody else has to wait for it
        began = time.monotonic()
        with ThreadPoolExecutor(60) as crowd:
            asked = [crowd.submit(fragile.post, "/tasks/add", json={"x": 1, "y": 1}) for _ in range(60)]
            assert fragile.get("/").status_code == 200
            assert {each.result().status_code for each in asked} == {503}
        assert time.monotonic() - began < SOON
        # who has no key, or sends nonsense, learns nothing new
        assert httpx.get(f"{fragile.base_url}/tasks/{task_id}").status_code == 401
    finally:
        if how == "stopped":
            broker.start()
        else:
            os.kill(broker.process.pid, signal.SIGCONT)
    # all is as before: what was sent is known, new tasks are taken
    assert fragile.get("/health").status_code == 200
    assert fragile.get(f"/tasks/{task_id}").json()["state"] == "PENDING"
    assert submit(fragile, "add", x=1, y=1)


def test_no_task_is_sent_that_could_not_be_found_again_even_if_the_service_is_killed(
    lab: Lab, broker: Broker
) -> None:
    redis = broker.redis()
    redis.flushdb()
    with served(lab, broker, THIRD) as (server, client):

        def submit_on_and_on(_: int) -> None:
            with suppress(httpx.HTTPError):
                while True:
                    submit(client, "add", x=1, y=1)

        with ThreadPoolExecutor(8) as clients:
            running = [clients.submit(submit_on_and_on, n) for n in range(8)]
            assert within(20, lambda: redis.llen("labtasks") > 50)
            server.kill()
        assert [each.result() for each in running] == [None] * 8
    sent = [json.loads(each)["headers"]["id"] for each in redis.lrange("labtasks", 0, -1)]
    assert [each for each in sent if not redis.exists(f"celerylab-api:{each}")] == []
