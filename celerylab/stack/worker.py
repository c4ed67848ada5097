"""A Celery worker as a child process, started by the command that people type at work."""

import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from celerylab.errors import LabError, ProcessFailed, Timeout
from celerylab.stack import control, texts
from celerylab.stack.broker import answers, probe
from celerylab.stack.celery_process import COMMAND, CeleryProcess
from celerylab.stack.keys import UNACKED_MUTEX
from celerylab.stack.process import python

# modules by name: loading them here would load Celery before the first process starts
STARTED = "celerylab.stack.started"
BUNDLED = "celerylab.stack.bundled"
BUNDLED_APP = "labtasks.app:app"
BUNDLED_NAME = "bundled"
BUNDLED_CONCURRENCY = 2
BUNDLED_TASK = "labtasks.basics.add"  # a worker that knows it is a bundled one
BEATS_TASKS = "labtasks.periodic."  # of whoever shares the broker with a Beat

POOLS = ("prefork", "threads", "solo")
PAUSE = 0.02
LOOK_TIMEOUT = 3.0  # s
NO_WAITING = ("--without-mingle", "--without-gossip")  # what a lone worker would wait for: a second


class Worker(CeleryProcess):
    """A worker of one module's Celery app.

    Parameters
    ----------
    module
        What follows ``celery -A``: a module that holds an app, or ``module:app``.
    broker_url
        The broker that the app connects to, on which the worker is asked whether it is ready.
    concurrency
        Processes or threads of the pool.
    queues
        Queues to consume; the app's default queue if not given.
    pool
        ``prefork``, ``threads`` or ``solo``.
    name
        Left part of the node name ``name@lab``; the module's name if not given.
    loglevel
        ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
    options
        More options of ``celery worker``, as typed.
    env
        Added to the environment.
    timeout
        Seconds that it may take to get ready.

    Attributes
    ----------
    pool, concurrency, queues
        As given.
    command_line
        The command that it runs, as typed in a terminal.
    """

    def __init__(
        self,
        module: str,
        *,
        broker_url: str,
        concurrency: int = 2,
        queues: Sequence[str] = (),
        pool: str = "prefork",
        name: str | None = None,
        loglevel: str = "INFO",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        if pool not in POOLS:
            raise LabError(texts.BAD_POOL.format(pool=pool, pools=", ".join(POOLS)))
        if not isinstance(concurrency, int) or concurrency < 1:
            raise LabError(texts.BAD_CONCURRENCY.format(concurrency=concurrency))
        node = f"{name or module.partition(':')[0].rpartition('.')[2]}@lab"
        self.pool = pool
        self.concurrency = 1 if pool == "solo" else concurrency
        self.queues = [queues] if isinstance(queues, str) else list(queues)
        arguments = ["-A", module, "worker", "-n", node, "-P", pool, "-c", str(self.concurrency)]
        arguments += ["-l", loglevel, "-E", *NO_WAITING, *options]
        if self.queues:
            arguments += ["-Q", ",".join(self.queues)]
        command = self._launch(module, node, arguments)
        super().__init__(node, module, command, broker_url=broker_url, env=env, timeout=timeout)
        self.command_line = shlex.join(["celery", *arguments])

    def _launch(self, _module: str, _node: str, arguments: list[str]) -> list[str]:
        return python("-m", COMMAND, *arguments, "-I", STARTED)

    def kill(self) -> None:
        """End the worker and its pool with SIGKILL; nothing happens if it is gone.

        Two accidents are left out, which would keep messages from other workers. It is not killed while
        it gives back messages of another: kombu's lock for that would stay for up to five minutes. And
        when this returns, the broker knows that it is gone: else a message that is sent next may be
        handed to it. Source: ``QoS.restore_visible`` in ``kombu/transport/redis.py``.
        """
        deadline = time.monotonic() + LOOK_TIMEOUT
        while self.alive and time.monotonic() < deadline:
            self.signal(signal.SIGSTOP)
            if not self._gives_back():
                break
            self.signal(signal.SIGCONT)
            time.sleep(PAUSE)
        super().kill()
        answers(self._broker_url)

    def _gives_back(self) -> bool:
        import redis

        try:
            with probe(self._broker_url) as asking:
                return bool(asking.exists(UNACKED_MUTEX))
        except redis.RedisError:
            return False

    def until(
        self, *, running: int | None = None, reserved: int | None = None, timeout: float = 10.0
    ) -> None:
        """Return once the worker runs, and holds in reserve, so many tasks.

        A solo worker answers nobody while it runs a task, so it cannot be waited for.

        Parameters
        ----------
        running
            Tasks that its pool has begun.
        reserved
            Tasks that it has taken from the broker and not begun.
        timeout
            Seconds; ``Timeout`` after that, which says how many there were.
        """
        deadline = time.monotonic() + timeout
        while True:
            # reserved first: a task that is begun in between is then missed in neither
            held = control.asked(self._broker_url, self.node, "reserved", LOOK_TIMEOUT)
            begun = control.asked(self._broker_url, self.node, "active", LOOK_TIMEOUT)
            if held is not None and begun is not None:
                found = {"running": len(begun), "reserved": len(held)}
                if running in (None, found["running"]) and reserved in (None, found["reserved"]):
                    return
            if time.monotonic() > deadline:
                seen = texts.NO_ANSWER if held is None or begun is None else texts.HOLDS.format(**found)
                raise Timeout(texts.NOT_UNTIL.format(node=self.node, seconds=f"{timeout:g}", seen=seen))
            time.sleep(PAUSE)

    def inspect(self, question: str, timeout: float = 20.0) -> Any:
        """Return what this worker answers to a question of Celery's ``inspect``.

        Asked again until it answers, since a worker that is busy may be late.

        Parameters
        ----------
        question
            A method of Celery's ``Inspect``: ``active``, ``registered``, ``scheduled``, ``stats``, ...
        timeout
            Seconds; ``Timeout`` after that.
        """
        answer = control.asked(self._broker_url, self.node, question, timeout)
        if answer is None:
            seen = texts.NO_ANSWER
            raise Timeout(texts.NOT_UNTIL.format(node=self.node, seconds=f"{timeout:g}", seen=seen))
        return answer

    @property
    def processes(self) -> list[int]:
        """Process ids of the pool's processes, oldest first; empty for threads and solo."""
        return self.tree[1:]

    def __repr__(self) -> str:
        each = {"threads": texts.THREADS}.get(self.pool, texts.PROCESSES)
        size = texts.ONE_PROCESS if self.concurrency == 1 else each.format(n=self.concurrency)
        return texts.WORKER_REPR.format(
            node=self.node, pool=self.pool, size=size, state=texts.RUNS if self.alive else texts.STOPPED
        )

    def _answers(self) -> bool:
        if "Cannot connect to" in self._read_log():
            what = texts.WORKER_CANNOT_CONNECT.format(name=self.node, module=self.module)
            raise ProcessFailed(self._failure(what))
        return super()._answers()


class BundledWorker(Worker):
    """The worker of ``labtasks``, two prefork processes."""

    def __init__(self, *, broker_url: str, timeout: float) -> None:
        super().__init__(
            BUNDLED_APP,
            broker_url=broker_url,
            concurrency=BUNDLED_CONCURRENCY,
            name=BUNDLED_NAME,
            timeout=timeout,
        )

    def _answers(self) -> bool:
        # started beside its broker: it may have to connect twice
        return CeleryProcess._answers(self)

    def _launch(self, module: str, node: str, _arguments: list[str]) -> list[str]:
        return python("-m", BUNDLED, module, node, str(self.concurrency))
