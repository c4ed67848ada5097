"""A program of Celery's, worker or Beat, as a child process that is ready once it answers a ping."""

import time
from collections.abc import Mapping, Sequence
from typing import Self

from celerylab.errors import ProcessFailed
from celerylab.stack import control
from celerylab.stack.modules import check_module, explained
from celerylab.stack.process import ManagedProcess

COMMAND = "celerylab.stack.command"  # by name: loading it here would load Celery before the first process


class CeleryProcess(ManagedProcess):
    """A program that runs one module's Celery app.

    Parameters
    ----------
    node
        The name under which it answers.
    module
        What follows ``celery -A``: a module that holds an app, or ``module:app``.
    command
        Program and arguments.
    broker_url
        The broker that the app connects to, on which it is asked whether it is ready.
    env
        Added to the environment.
    timeout
        Seconds that it may take to get ready.

    Attributes
    ----------
    node
        The name under which it answers, such as ``tasks_1_2@lab``.
    ready_after
        Seconds that the last start took.
    """

    def __init__(
        self,
        node: str,
        module: str,
        command: Sequence[str],
        *,
        broker_url: str,
        env: Mapping[str, str] | None,
        timeout: float,
    ) -> None:
        self.node = node
        self.module = module
        self._broker_url = broker_url
        self._timeout = timeout
        self.ready_after = 0.0  # s, of the last start
        super().__init__(node, command, env=env)

    def start(self) -> Self:
        """Start the program; return when it answers a ping, so a worker's queues are consumed.

        Raises
        ------
        NoSuchModule
            No module of that name can be found.
        ProcessFailed
            The module could not be imported (with its own traceback), holds no app, or the
            program did not get ready (with its log).
        """
        check_module(self.module)
        began = time.monotonic()
        self.spawn()
        self.wait_answering()
        self.ready_after = time.monotonic() - began
        return self

    def wait_answering(self) -> None:
        """Return when the program answers a ping; see ``start`` for what it raises."""
        try:
            self.wait_ready(self._answers, self._timeout)
        except ProcessFailed as failure:
            log = self._read_log()
            self.kill()
            raise explained(failure, self.module, log) from None

    def restart(self) -> Self:
        """Stop the program and start it again, with its module as it is now."""
        self.stop()
        return self.start()

    def _answers(self) -> bool:
        return control.ping(self._broker_url, self.node)
