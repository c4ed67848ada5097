"""The embedded broker."""

import socket
from pathlib import Path

import pytest
import redis

from celerylab.errors import BrokerDown, PortTaken
from celerylab.stack import broker as broker_module
from celerylab.stack.broker import Broker, answers


def test_broker_answers_as_soon_as_start_returns() -> None:
    with Broker("ready") as broker, broker.redis() as client:
        assert client.ping()
        assert client.config_get("bind")["bind"] == "127.0.0.1"


def test_broker_refuses_whoever_has_not_the_password() -> None:
    with (
        Broker("locked") as broker,
        redis.Redis(port=broker.port) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_password_stands_in_no_command_line() -> None:
    with Broker("secret") as broker:
        password = broker.url.partition("://:")[2].partition("@")[0]
        assert password not in " ".join(broker.process.command)
        assert not [path for path in broker.process.log_path.parent.rglob("*") if _holds(path, password)]


def _holds(path: object, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()


def test_broker_keeps_its_address_over_a_restart() -> None:
    with Broker("again") as broker:
        before = broker.url
        broker.restart()
        assert broker.url == before
        assert answers(before)


@pytest.mark.parametrize(("keep", "found"), [(True, b"1"), (False, None)])
def test_data_survive_a_kill_only_where_they_are_kept(keep: bool, found: bytes | None) -> None:
    with Broker(f"keep-{keep}", keep=keep) as broker:
        with broker.redis() as client:
            client.set("here", 1)
        broker.kill()
        broker.start()
        with broker.redis() as client:
            assert client.get("here") == found


def test_broker_is_the_server_that_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.symlink_to(broker_module.server_binary())
    monkeypatch.setenv("CELERYLAB_BROKER_SERVER", str(own))
    with Broker("own") as broker:
        assert answers(broker.url)
        assert broker.process.command[0] == str(own)
        assert "redis-server" in repr(broker)


def test_server_that_is_not_there_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_BROKER_SERVER", "/nowhere/redis-server")
    with pytest.raises(BrokerDown, match="CELERYLAB_BROKER_SERVER names no program: /nowhere/redis-server"):
        Broker("none").start()


def test_taken_port_is_refused_with_its_number() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 is taken"):
            Broker("late", port=port).start()


def test_port_taken_between_choosing_and_starting_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        broker = Broker("raced")
        broker.port = taken
        with broker:
            assert broker.port != taken
            assert answers(broker.url)


def test_platform_without_embedded_broker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module.platform, "system", lambda: "Plan9")
    with pytest.raises(BrokerDown, match=r"no embedded broker for plan9-.*CELERYLAB_BROKER_URL"):
        Broker("nowhere").start()


def test_stopped_broker_says_that_it_does_not_run() -> None:
    broker = Broker("idle")
    with pytest.raises(BrokerDown, match="idle does not run"):
        _ = broker.process
    assert not answers(broker.url)
