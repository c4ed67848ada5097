"""The upload of the photo service."""

from collections.abc import Iterator

import httpx
import pytest

from celerylab import Lab
from celerylab.errors import ProcessFailed
from celerylab.stack.broker import Broker
from celerylab.views.queues import peek

TARGET, SECOND = "labtasks.web.photos:api", "labtasks.web.photos:create_app()"
KEY = "a-key-for-these-tests-only"


@pytest.fixture(scope="module")
def broker(lab: Lab) -> Broker:
    return lab.broker()


@pytest.fixture(scope="module")
def client(lab: Lab, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    env = {
        "CELERYLAB_BROKER_URL": broker.url,
        "CELERYLAB_API_KEY": KEY,
        "CELERYLAB_WORK_FOLDER": str(tmp_path_factory.mktemp("work")),
    }
    with (
        lab.serve(TARGET, env=env) as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": KEY}, timeout=30) as made,
    ):
        yield made


@pytest.mark.parametrize(("urgent", "queue"), [("false", "photos.bulk"), ("true", "photos.urgent")])
def test_a_picture_is_kept_and_its_task_waits_in_its_queue(
    client: httpx.Client, broker: Broker, urgent: str, queue: str
) -> None:
    taken = client.put("/photos/lake.jpg", params={"urgent": urgent}, content=b"a picture")
    assert taken.status_code == 202, taken.text
    message = peek(broker.redis(), queue)
    assert (message.headers["task"], message.body[0]) == ("photos.receive", ["lake.jpg"])
    assert message.headers["id"] == taken.json()["id"]
    assert client.get("/photos/lake.jpg").json() == {"photo": "lake.jpg", "renditions": []}


@pytest.mark.parametrize(
    ("name", "body", "key", "status"),
    [
        ("lake.jpg", b"x", "wrong", 401),
        ("lake.gif", b"x", KEY, 422),
        ("lake_64x48.jpg", b"x", KEY, 422),
        ("..%2F..%2Flake.jpg", b"x", KEY, 404),
        ("lake.jpg", b"", KEY, 422),
        ("lake.jpg", b"x" * (20 * 2**20 + 1), KEY, 413),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_sent(
    client: httpx.Client, broker: Broker, name: str, body: bytes, key: str, status: int
) -> None:
    broker.redis().delete("photos.bulk")
    answer = client.put(f"/photos/{name}", content=body, headers={"X-API-Key": key})
    assert answer.status_code == status, answer.text
    assert not broker.redis().exists("photos.bulk")


def test_without_a_broker_the_client_is_told_to_upload_again(client: httpx.Client, broker: Broker) -> None:
    broker.stop()
    answer = client.put("/photos/sea.jpg", content=b"a picture")
    broker.start()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert client.put("/photos/sea.jpg", content=b"a picture").status_code == 202


def test_it_does_not_start_without_a_key(lab: Lab) -> None:
    with pytest.raises(ProcessFailed, match="CELERYLAB_API_KEY is not set"):
        lab.serve(SECOND, env={"CELERYLAB_API_KEY": ""})
