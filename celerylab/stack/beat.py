"""Celery Beat as a child process, started by the command that people type at work."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from celerylab.errors import ProcessFailed
from celerylab.stack import control, texts
from celerylab.stack.modules import check_module, explained
from celerylab.stack.owner import owner
from celerylab.stack.process import ManagedProcess, python

COMMAND = "celerylab.stack.command"


class Beat(ManagedProcess):
    """The Beat of one module's Celery app.

    Parameters
    ----------
    module
        What follows ``celery -A``: a module that holds an app, or ``module:app``.
    broker_url
        The broker that the app connects to, on which Beat is asked whether it is ready.
    name
        Left part of the name ``name@lab`` under which it answers; ``beat_`` and the module's
        name if not given.
    schedule
        File in which it keeps what it has sent; one of its own, kept over restarts, if not given.
    loglevel
        ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
    options
        More options of ``celery beat``, as typed.
    env
        Added to the environment.
    timeout
        Seconds that it may take to get ready.
    """

    def __init__(
        self,
        module: str,
        *,
        broker_url: str,
        name: str | None = None,
        schedule: Path | None = None,
        loglevel: str = "INFO",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self.module = module
        self.node = f"{name or 'beat_' + module.partition(':')[0].rpartition('.')[2]}@lab"
        self.schedule = schedule or owner().folder / f"{self.node}.schedule"
        self._broker_url = broker_url
        self._timeout = timeout
        arguments = ["-A", module, "beat", "-n", self.node, "-s", str(self.schedule), "-l", loglevel]
        # without the last one Beat answers nobody, and cannot be asked whether it is ready
        command = python("-m", COMMAND, *arguments, *options, "--enable-remote-control")
        super().__init__(self.node, command, env=env)
        self.command_line = shlex.join(["celery", "-A", module, "beat", "-l", loglevel, *options])

    def start(self) -> Self:
        """Start Beat; return when it answers a ping.

        Raises
        ------
        NoSuchModule
            No module of that name can be found.
        ProcessFailed
            The module could not be imported (with its own traceback), holds no app, or Beat did
            not get ready (with its log).
        """
        check_module(self.module)
        self.spawn()
        try:
            self.wait_ready(lambda: control.ping(self._broker_url, self.node), self._timeout)
        except ProcessFailed as failure:
            log = self._read_log()
            self.kill()
            raise explained(failure, self.module, log) from None
        return self

    def restart(self) -> Self:
        """Stop Beat and start it again, with its module as it is now."""
        self.stop()
        return self.start()

    def __repr__(self) -> str:
        return texts.BEAT_REPR.format(node=self.node, state=texts.RUNS if self.alive else texts.STOPPED)
