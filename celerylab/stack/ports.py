"""TCP ports, on loopback if nothing else is said."""

import itertools
import random
import socket
from contextlib import suppress

from celerylab.errors import LabError
from celerylab.stack import texts

HOST = "127.0.0.1"
PORT_TRIES = 5

# below those that Linux (from 32768), macOS and Windows (from 49152) give to whoever asks for any
# port and to outgoing connections: these would take a port between finding it and using it
PORTS = range(20000, 32768)
# in turn, so that none comes again soon; from a start of its own, since other processes look too
_turns = itertools.count(random.randrange(len(PORTS)))


def free_port(host: str = HOST) -> int:
    """Return a port that was free a moment ago, and that this process is not given again soon.

    Another program may take it all the same; whoever can use another one then should.

    Raises
    ------
    OSError, TypeError
        The host is no name or address of this machine.
    LabError
        No port is free.
    """
    reserved(host).close()
    for turn in itertools.islice(_turns, len(PORTS)):
        port = PORTS[turn % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return port
    raise LabError(texts.NO_FREE_PORT.format(first=PORTS[0], last=PORTS[-1], host=host))


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
