"""Child processes that never outlive this one, however it ends."""

import atexit
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

REAPER = Path(__file__).with_name("reaper.sh")

# A child waits for one line before it becomes the program that was asked for: should this
# process die before the reaper knows the child, the child reads the end of the pipe and ends.
GATE = 'read -r go || exit 1; exec "$@" </dev/null'


class Owner:
    """A process as the owner of others, with its reaper and a folder for their files."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="celery-lab-"))
        self._reaper = subprocess.Popen(
            ["sh", str(REAPER), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pipe: IO[bytes] = _not_none(self._reaper.stdin)
        self._pid = os.getpid()
        # a forked child that kept the pipe open would keep the reaper waiting
        os.register_at_fork(after_in_child=self._pipe.close)
        # a script that ends by itself has left nothing when the shell's prompt is back
        atexit.register(self._end)

    @property
    def alive(self) -> bool:
        """Whether this is still the process that made it, and its reaper runs."""
        return self._pid == os.getpid() and self._reaper.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the reaper."""
        return self._reaper.pid

    def spawn(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        config: bytes = b"",
        gently: bool = False,
    ) -> "subprocess.Popen[bytes]":
        """Start a program in a session of its own, its output going to a file.

        Parameters
        ----------
        command
            Program and arguments.
        log
            Appended to by the program's stdout and stderr.
        env
            The whole environment.
        cwd
            Its working directory.
        config
            If given, the program reads it on standard input.
        gently
            Whether the reaper tells it to quit (SIGQUIT) a second before it kills it.
        """
        gate = GATE.removesuffix(" </dev/null") if config else GATE
        with log.open("ab") as output:
            child = subprocess.Popen(
                ["sh", "-c", gate, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=dict(env),
                cwd=cwd,
            )
        self._tell("gently" if gently else "watch", child.pid)
        with _not_none(child.stdin) as gate_pipe:
            gate_pipe.write(b"go\n" + config)
        return child

    def forget(self, pid: int) -> None:
        """Take a process group that is gone off the reaper's list."""
        self._tell("forget", pid)

    def close(self) -> None:
        """End everything that was started and not forgotten, as if this process had ended."""
        self._pipe.close()
        self._reaper.wait()

    def _end(self) -> None:
        if self.alive:
            self.close()

    def _tell(self, verb: str, pid: int) -> None:
        self._pipe.write(f"{verb} {pid}\n".encode())
        self._pipe.flush()


def _not_none(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "made with stdin=PIPE"
    return pipe


_owner: Owner | None = None


def owner() -> Owner:
    """Return this process's owner, made at the first call, and again after a fork."""
    global _owner
    if _owner is None or not _owner.alive:
        _owner = Owner()
    return _owner
