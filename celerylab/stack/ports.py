"""TCP ports, on loopback if nothing else is said."""

import socket

from celerylab.errors import LabError
from celerylab.stack import texts

HOST = "127.0.0.1"
PORT_TRIES = 5


def free_port(host: str = HOST) -> int:
    """Return a port that was free a moment ago; whoever uses it must expect that it is not."""
    with reserved(host) as probe:
        return port_of(probe)


def reserved(host: str = HOST) -> socket.socket:
    """Return a socket bound to a free port, not yet listening: nobody else can take the port."""
    bound = socket.socket()
    try:
        bound.bind((host, 0))
    except (OSError, TypeError):
        bound.close()
        raise
    return bound


def check(host: str) -> None:
    """Raise ``LabError`` if nothing can listen there: it is no name or address of this machine."""
    try:
        reserved(host).close()
    except (OSError, TypeError) as problem:  # the latter is said of names that no DNS holds
        reason = getattr(problem, "strerror", None) or problem
        raise LabError(texts.NOT_A_HOST.format(host=host, problem=reason)) from None


def port_of(bound: socket.socket) -> int:
    """Return the port that a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


def accepts(port: int, host: str = HOST) -> bool:
    """Say whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
