"""Celery Beat as a child process, started by the command that people type at work."""

import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from celerylab.stack import texts
from celerylab.stack.celery_process import COMMAND, CeleryProcess
from celerylab.stack.owner import owner
from celerylab.stack.process import python

# before Celery 5.7 Beat has no remote control
ANSWERS = tuple(map(int, version("celery").split(".")[:2])) >= (5, 7)
STARTING = "is starting."  # in the banner, printed once the app is loaded


class Beat(CeleryProcess):
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
        node = f"{name or 'beat_' + module.partition(':')[0].rpartition('.')[2]}@lab"
        self.schedule = schedule or owner().folder / f"{node}.schedule"
        arguments = ["-A", module, "beat", "-s", str(self.schedule), "-l", loglevel]
        # without these Beat answers nobody, and cannot be asked whether it is ready
        remote = ["-n", node, "--enable-remote-control"] if ANSWERS else []
        command = python("-m", COMMAND, *arguments, *remote, *options)
        super().__init__(node, module, command, broker_url=broker_url, env=env, timeout=timeout)
        self.command_line = shlex.join(["celery", "-A", module, "beat", "-l", loglevel, *options])

    def __repr__(self) -> str:
        return texts.BEAT_REPR.format(node=self.node, state=texts.RUNS if self.alive else texts.STOPPED)

    def _answers(self) -> bool:
        return super()._answers() if ANSWERS else STARTING in self._read_log()
