"""What can be read on the way to a broker, with TLS and without."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celerylab.stack.broker import Broker
from celerylab.stack.wire import Wire

SECRET = "card 4711 0815"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker("broker-wire") as made:
        yield made


@pytest.mark.parametrize("tls", [False, True])
def test_what_passes_can_be_read_unless_it_is_encrypted(broker: Broker, tls: bool) -> None:
    wire = Wire(broker, tls=tls)
    with redis.Redis.from_url(wire.url) as client:
        client.set("order", SECRET)
        assert client.get("order") == SECRET.encode()
    password = broker.url.split(":")[2].partition("@")[0]
    assert [wire.saw(SECRET), wire.saw(password), wire.saw("never sent")] == [not tls, not tls, False]
    assert len(wire) > len(SECRET)
    wire.stop()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(wire.url) as client:
        client.ping()


def test_a_certificate_of_somebody_else_is_refused(broker: Broker, tmp_path: Path) -> None:
    mine, theirs = Wire(broker, tls=True), Wire(broker, tls=True)
    assert mine.authority
    assert theirs.authority
    forged = mine.url.replace(mine.authority.name, theirs.authority.name)
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED") as refused:
        redis.Redis.from_url(forged).ping()
    assert isinstance(refused.value.__context__, ssl.SSLError | redis.ConnectionError)
    for wire in (mine, theirs):
        wire.stop()


def test_a_broker_that_is_down_ends_the_connection(broker: Broker) -> None:
    wire = Wire(broker)
    broker.stop()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(wire.url) as client:
        client.ping()
    broker.start()
    with redis.Redis.from_url(wire.url) as client:
        assert client.ping()
    wire.stop()
