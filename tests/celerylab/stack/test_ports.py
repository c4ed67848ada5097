"""A port that is found free stays free until it is used."""

import socket
from pathlib import Path

import pytest

from celerylab.errors import LabError
from celerylab.stack import ports

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_free_ports_are_none_that_the_system_gives_away() -> None:
    if not RANGE.exists():
        pytest.skip("this system does not say which ports it gives away")
    first, last = map(int, RANGE.read_text().split())
    assert not set(range(first, last + 1)) & {ports.free_port() for _ in range(50)}


def test_no_port_comes_twice_before_all_have_come() -> None:
    found = [ports.free_port() for _ in range(1000)]
    assert len(set(found)) == len(found)


def test_port_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.free_port()
    with socket.create_server((ports.HOST, first)):
        monkeypatch.setattr(ports, "PORTS", range(first, first + 1))
        with pytest.raises(LabError, match=rf"No port from {first} to {first} is free on 127\.0\.0\.1"):
            ports.free_port()
    assert ports.free_port() == first


def test_host_of_another_machine_is_refused() -> None:
    with pytest.raises(OSError, match="assign"):
        ports.free_port("192.0.2.1")
