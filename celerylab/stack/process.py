"""One child process: its log, its readiness, its end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from celerylab.errors import ProcessFailed
from celerylab.stack import texts
from celerylab.stack.owner import owner

# a notebook's kernel asks for colours, and its children's logs would have them from Python 3.13 on
PLAIN = {"PYTHON_COLORS": "0"}
PROBE_PAUSE = 0.02
STOP_TIMEOUT = 10.0
FAILURE_LINES = 15

_STAMP = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+: (\w+)/([\w-]+)\] ")


class Log:
    """What a process wrote, without the times that differ from run to run."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)

    def __repr__(self) -> str:
        return "\n".join(self.lines) or texts.LOG_EMPTY

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __contains__(self, part: object) -> bool:
        return isinstance(part, str) and any(part in line for line in self.lines)


class ManagedProcess:
    """A program in a process group of its own, ended with its owner at the latest.

    Parameters
    ----------
    name
        What error messages call it; unique within the owner.
    command
        Program and arguments.
    env
        Added to this process's environment.
    cwd
        Working directory; the current one if not given.
    config
        Given to the program on standard input.
    gently
        Whether it is told to quit before it is killed, should its owner end: a program that
        holds more than memory and files.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        config: bytes = b"",
        gently: bool = False,
    ) -> None:
        self.name = name
        self.command = list(command)
        self._env = dict(env or {})
        self._cwd = cwd or Path.cwd()
        self._config = config
        self._gently = gently
        self._child: subprocess.Popen[bytes] | None = None
        self.log_path = owner().folder / f"{name}.log"

    @property
    def pid(self) -> int:
        """Process id; ``ProcessFailed`` if it does not run."""
        if self._child is None or self._child.poll() is not None:
            raise ProcessFailed(texts.NOT_RUNNING.format(name=self.name))
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def tree(self) -> list[int]:
        """Process ids of the program and of its children, its own first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.pid).children(recursive=True)
            return [self.pid, *sorted(child.pid for child in children)]
        return [self.pid]

    @property
    def memory(self) -> float:
        """MiB that the program and its children take together.

        Memory that processes share counts once, where the system can tell (Linux).
        """
        return sum(map(_memory, self.tree)) / 2**20

    def spawn(self) -> None:
        """Start the program, without waiting until it is ready."""
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        env = {**os.environ, **PLAIN, **self._env}
        self._child = owner().spawn(
            self.command,
            log=self.log_path,
            env=env,
            cwd=self._cwd,
            config=self._config,
            gently=self._gently,
        )

    def wait_ready(self, probe: Callable[[], bool], timeout: float) -> None:
        """Return once ``probe`` says yes.

        Parameters
        ----------
        probe
            Asked again and again; an answer in itself, never a guess from elapsed time.
        timeout
            Seconds.

        Raises
        ------
        ProcessFailed
            The program ended first, or the probe never said yes; with the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not probe():
            if not self.alive:
                assert self._child is not None
                status = self._child.returncode
                self._reap()
                raise ProcessFailed(self._failure(texts.ENDED_EARLY.format(name=self.name, status=status)))
            if time.monotonic() > deadline:
                message = self._failure(texts.NEVER_READY.format(name=self.name, seconds=f"{timeout:g}"))
                self.kill()
                raise ProcessFailed(message)
            time.sleep(PROBE_PAUSE)

    def log(self, containing: str = "", last: int = 20) -> Log:
        """Return what the program has logged since it was last started.

        Parameters
        ----------
        containing
            Only the lines that hold this text.
        last
            At most so many lines, the newest.
        """
        lines = [_STAMP.sub(r"[\1 \2] ", line) for line in self._read_log().splitlines()]
        return Log([line for line in lines if containing in line][-last:])

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End the program the way its users do (SIGTERM), or hard after ``timeout`` seconds."""
        self.signal(signal.SIGTERM)
        self.wait_end(timeout)
        self.kill()

    def kill(self) -> None:
        """End the program and its children with SIGKILL; nothing happens if it is gone."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._reap()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, as ``kill PID`` does."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def wait_end(self, timeout: float) -> bool:
        """Wait until the program has ended by itself; say whether it has."""
        if self._child is None:
            return True
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            owner().forget(self._child.pid)
            self._child = None

    def _read_log(self) -> str:
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _failure(self, what: str) -> str:
        lines = self._read_log().splitlines()[-FAILURE_LINES:]
        return "\n".join([what, texts.ITS_LOG, *(f"  {line}" for line in lines)]) if lines else what


def python(*arguments: str) -> list[str]:
    """Return a command that runs this interpreter."""
    return [sys.executable, *arguments]


def _memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        try:
            return int(process.memory_full_info().pss)
        except (AttributeError, psutil.AccessDenied):
            return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
