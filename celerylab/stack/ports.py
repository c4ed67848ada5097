"""Loopback TCP ports."""

import socket

HOST = "127.0.0.1"
PORT_TRIES = 5


def free_port() -> int:
    """Return a port that was free a moment ago; whoever uses it must expect that it is not."""
    with reserved() as probe:
        return port_of(probe)


def reserved() -> socket.socket:
    """Return a socket bound to a free port, not yet listening: nobody else can take the port."""
    bound = socket.socket()
    bound.bind((HOST, 0))
    return bound


def port_of(bound: socket.socket) -> int:
    """Return the port that a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def accepts(port: int) -> bool:
    """Say whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
