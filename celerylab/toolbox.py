"""``lab``: everything that a lesson asks of the toolbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from celerylab import timekeeping
from celerylab.card import Card
from celerylab.environment import URL, Environment
from celerylab.errors import BrokerDown, LabError, NotStarted
from celerylab.settings import settings
from celerylab.stack import attached, control, ports, texts
from celerylab.stack.broker import Broker, answers, client, server_name
from celerylab.stack.worker import BUNDLED_APP, BUNDLED_TASK, BundledWorker, Worker
from celerylab.toolbox_servers import Servers

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from celery import Celery

    from celerylab.stack.beat import Beat
    from celerylab.stack.celery_process import CeleryProcess

Process = TypeVar("Process", bound="CeleryProcess")
BUSY = 5.0  # s that a bundled worker may take to answer when it is busy


class Lab(Servers):
    """A broker, a bundled worker, and views into both.

    Lessons use the one instance ``lab``. Nothing in it assumes that it is alone on the machine:
    ports, names and files are its own.
    """

    def __init__(self) -> None:
        self._broker: Broker | None = None
        self._bundled: BundledWorker | None = None
        self._attached: str | None = None
        self._attached_nodes: list[str] = []
        self._presence: attached.Presence | None = None
        self._workers: dict[str, Worker] = {}
        self._beats: dict[str, Beat] = {}
        self._environment = Environment()
        super().__init__()

    # -- start and stop ---------------------------------------------------------------

    def start(self, *, private: bool = False) -> None:
        """Start a private broker and the bundled worker, and say what runs where.

        Safe to call again: what runs goes on, what has died is started anew. With
        ``CELERYLAB_BROKER_URL`` set, that broker and the worker that listens there are used
        instead, and nothing is started.

        Parameters
        ----------
        private
            Start them whatever ``CELERYLAB_BROKER_URL`` says, for a lesson that stops the
            bundled worker.

        Raises
        ------
        BrokerDown
            There is no embedded broker for this platform, or the given broker does not answer.
        ProcessFailed
            The broker or the worker did not start, with its log.
        """
        given = settings()
        if self._broker is None and given.broker_url and not private:
            self._attach(given.broker_url)
        else:
            self._start_embedded(given.start_timeout)
        self._sent.listen()
        self._card().show()
        timekeeping.begin()

    def stop(self) -> None:
        """End everything that the lab started, and give back the environment as it was."""
        self._sent.close()
        for process in (*self._beats.values(), *self._workers.values()):
            process.kill()
        self._stop_servers()
        if self._presence:
            self._presence.close()
        self._kill_bundled()
        if self._broker:
            self._broker.kill()
        self._environment.restore()
        self.__init__()  # type: ignore[misc]  # as new

    # -- what runs --------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The broker's address, password included; the result backend's too."""
        if self._attached:
            return self._attached
        if self._broker is None:
            raise NotStarted(texts.NOT_STARTED)
        return self._broker.url

    @property
    def redis(self) -> redis.Redis:
        """A redis-py client of the broker, to look at what lies there."""
        return client(self.url)

    @property
    def client(self) -> Celery:
        """A Celery app of the lab's own: sends tasks by their name, asks workers."""
        return control.client(self.url, settings().result_backend if self._attached else None)

    @property
    def attached(self) -> bool:
        """Whether broker and bundled worker are somebody else's, and others may use them, too."""
        return self._attached is not None

    @property
    def bundled(self) -> BundledWorker:
        """The bundled worker's process; a lab that is attached to another's has none."""
        self._need_start()
        if self._bundled is None:
            raise LabError(texts.NO_BUNDLED_PROCESS)
        return self._bundled

    def worker(
        self,
        module: str,
        *,
        concurrency: int = 2,
        queues: Sequence[str] = (),
        pool: str = "prefork",
        name: str | None = None,
        loglevel: str = "INFO",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        broker: Broker | None = None,
    ) -> Worker:
        """Start a worker of a module's Celery app; return when it is ready.

        A worker of the same name that runs already is stopped first, so that the cell can be
        run again after the module was changed.

        Parameters
        ----------
        module
            What follows ``celery -A``.
        concurrency
            Processes or threads of the pool.
        queues
            Queues to consume; the app's default queue if not given.
        pool
            ``prefork``, ``threads`` or ``solo``.
        name
            Left part of its node name ``name@lab``; the module's name if not given.
        loglevel
            ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        options
            More options of ``celery worker``, as typed.
        env
            Added to its environment.
        broker
            The broker that its app connects to, if it is not the lab's.

        Raises
        ------
        NoSuchModule, ProcessFailed
            See ``Worker.start``.
        """
        self._need_start()
        made = Worker(
            module,
            broker_url=broker.url if broker else self.url,
            concurrency=concurrency,
            queues=queues,
            pool=pool,
            name=name,
            loglevel=loglevel,
            options=options,
            env={**({URL: broker.url} if broker else {}), **(env or {})},
            timeout=settings().start_timeout,
        )
        return _in_place(made, self._workers)

    def beat(
        self,
        module: str,
        *,
        name: str | None = None,
        schedule: Path | None = None,
        loglevel: str = "INFO",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        broker: Broker | None = None,
    ) -> Beat:
        """Start the Beat of a module's Celery app; return when it is ready.

        A Beat of the same name that runs already is stopped first. Give another name to run two.

        Parameters
        ----------
        module
            What follows ``celery -A``.
        name
            Left part of the name ``name@lab`` under which it answers; ``beat_`` and the
            module's name if not given.
        schedule
            File in which it keeps what it has sent; one of its own if not given.
        loglevel
            ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        options
            More options of ``celery beat``, as typed.
        env
            Added to its environment.
        broker
            The broker that its app connects to, if it is not the lab's.

        Raises
        ------
        NoSuchModule, ProcessFailed
            See ``Beat.start``.
        """
        from celerylab.stack.beat import Beat

        self._need_start()
        made = Beat(
            module,
            broker_url=broker.url if broker else self.url,
            name=name,
            schedule=schedule,
            loglevel=loglevel,
            options=options,
            env={**({URL: broker.url} if broker else {}), **(env or {})},
            timeout=settings().start_timeout,
        )
        return _in_place(made, self._beats)

    def __repr__(self) -> str:
        return repr(self._card()) if self._broker or self._attached else texts.NOT_STARTED

    # -- how ----------------------------------------------------------------------------

    def _start_embedded(self, timeout: float) -> None:
        self._smtp = self._smtp or ports.reserved()
        self._broker = self._broker or Broker()
        if not self._broker.alive:
            self._broker.spawn()
            self._kill_bundled()
        # the worker loads its modules while the broker starts, and this process its own
        self._spawn_bundled(self._broker, timeout)
        port = self._broker.port
        self._broker.wait_answering()
        if self._broker.port != port:
            self._kill_bundled()
            self._spawn_bundled(self._broker, timeout)
        assert self._bundled is not None
        self._bundled.wait_answering()

    def _spawn_bundled(self, broker: Broker, timeout: float) -> None:
        if self._bundled is None or not self._bundled.alive:
            assert self._smtp is not None
            self._environment.own(broker.url, ports.port_of(self._smtp))
            self._bundled = BundledWorker(broker_url=broker.url, timeout=timeout)
            self._bundled.spawn()

    def _kill_bundled(self) -> None:
        if self._bundled:
            self._bundled.kill()

    def _attach(self, url: str) -> None:
        if not answers(url):
            raise BrokerDown(texts.BROKER_DOWN.format(url=control.without_password(url)))
        # once more, for longer: a worker that is busy may be late
        nodes = control.nodes_with_task(url, BUNDLED_TASK) or control.nodes_with_task(url, BUNDLED_TASK, BUSY)
        if not nodes:
            raise LabError(texts.NO_BUNDLED_WORKER.format(url=control.without_password(url), app=BUNDLED_APP))
        self._attached, self._attached_nodes = url, nodes
        if self._presence is None:  # what lies there at a second start is this lesson's own
            self._presence = attached.Presence(url)
            if settings().broker_owned and not self._presence.others():
                attached.clear_leftovers(self.redis, attached.queues_of(url, nodes))
        self._smtp = self._smtp or ports.reserved()
        self._environment.complete(ports.port_of(self._smtp))

    def _card(self) -> Card:
        if self._attached:
            nodes = self._attached_nodes
            others = self._presence.others() if self._presence else 0
            note = texts.CARD_OTHERS.format(n=others) if others else ""
            where = control.without_password(self._attached)
            return Card(texts.CARD_ATTACHED, where, ", ".join(nodes), note)
        return Card(texts.CARD_EMBEDDED, texts.CARD_BROKER.format(server=server_name()), repr(self.bundled))

    def _need_start(self) -> None:
        if self._broker is None and self._attached is None:
            raise NotStarted(texts.NOT_STARTED)


def _in_place(made: Process, running: dict[str, Process]) -> Process:
    """Start a program instead of the one of its name, if there is one."""
    if made.node in running:
        running[made.node].stop()
    running[made.node] = made
    return made.start()


lab = Lab()
