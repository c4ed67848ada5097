"""What ``lab`` starts besides broker, workers and Beat: the servers that tasks and lessons talk to."""

from __future__ import annotations

import socket
from abc import abstractmethod
from typing import TYPE_CHECKING

from celerylab.settings import settings
from celerylab.stack.broker import Broker
from celerylab.stack.worker import BUNDLED_APP
from celerylab.toolbox_views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celerylab.faults import FaultTest
    from celerylab.faults.rig import Rig
    from celerylab.stack.flower import Flower
    from celerylab.stack.mailbox import Mail
    from celerylab.stack.postgres import Postgres
    from celerylab.stack.server import Server
    from celerylab.stack.webhook import Webhook
    from celerylab.stack.wire import Wire


class Servers(Views):
    """Servers of the lab's own, each ended with it."""

    def __init__(self) -> None:
        super().__init__()
        self._servers: dict[str, Server] = {}
        self._flowers: dict[str, Flower] = {}
        self._brokers: list[Broker] = []
        self._databases: list[Postgres] = []
        self._mailbox: Mail | None = None
        self._webhooks: list[Webhook] = []
        self._wires: list[Wire] = []
        self._rig: Rig | None = None
        self._smtp: socket.socket | None = None

    @abstractmethod
    def _need_start(self) -> None:
        """Raise ``NotStarted`` if the lab does not run."""

    def broker(self, *, keep: bool = False) -> Broker:
        """Start one more broker, private to this lab, for lessons that stop and start one.

        Parameters
        ----------
        keep
            Whether its data survive a stop.
        """
        made = Broker(f"broker-{len(self._brokers) + 2}", keep=keep)
        self._brokers.append(made)
        return made.start()

    def serve(self, target: str, *, port: int | None = None, env: Mapping[str, str] | None = None) -> Server:
        """Serve an ASGI or WSGI app; return when it accepts connections.

        Served already, it is stopped first. It listens where ``CELERYLAB_SERVE_HOST`` says, on
        loopback by default, as a webhook does.

        Parameters
        ----------
        target
            ``module:app``, or ``module:create_app()`` for an application factory.
        port
            A free one if not given.
        env
            Added to its environment.
        """
        from celerylab.stack.server import Server

        self._need_start()
        if target in self._servers:
            self._servers[target].stop()
        read = settings()
        self._servers[target] = Server(
            target, port=port, host=read.serve_host, timeout=read.start_timeout, env=env
        )
        return self._servers[target].start()

    def flower(self, module: str = BUNDLED_APP) -> Flower:
        """Start Flower of a module's app, behind a random password; return when it answers.

        One that runs already for the module is stopped first.
        """
        from celerylab.stack.flower import Flower

        self._need_start()
        if module in self._flowers:
            self._flowers[module].stop()
        self._flowers[module] = Flower(module, broker_url=self.url, timeout=settings().start_timeout)
        return self._flowers[module].start()

    def mailbox(self, *, delay: float = 0.0) -> Mail:
        """Return the lab's SMTP server, emptied; mail of ``labtasks`` arrives there.

        Parameters
        ----------
        delay
            Seconds before each mail is accepted.
        """
        from celerylab.stack.mailbox import Mailbox, MailService

        self._need_start()
        if self._mailbox is None:
            given = settings().mail_url if self.attached else None
            self._mailbox = MailService(given) if given else Mailbox(self._smtp)
        self._mailbox.clear()
        self._mailbox.delay = delay
        return self._mailbox

    def webhook(
        self, *, delay: float = 0.0, status: int = 200, answer: object = None, failures: int = 0
    ) -> Webhook:
        """Start an HTTP receiver.

        Parameters
        ----------
        delay
            Seconds before each answer.
        status
            HTTP status of the answers.
        answer
            Their body, sent as JSON.
        failures
            Requests, the first ones, that are answered with 503 instead.
        """
        from celerylab.stack.webhook import Webhook

        self._webhooks.append(Webhook(delay, status, answer, settings().serve_host, failures))
        return self._webhooks[-1]

    def wire(self, broker: Broker, *, tls: bool = False) -> Wire:
        """Return a way to a broker on which every byte is kept, to look for what can be read.

        Parameters
        ----------
        broker
            One of ``lab.broker()``.
        tls
            Whether what travels is encrypted.
        """
        from celerylab.stack.wire import Wire

        self._wires.append(Wire(broker, tls=tls))
        return self._wires[-1]

    def postgres(self) -> Postgres:
        """Start a PostgreSQL server, private to this lab; return when it answers."""
        from celerylab.stack.postgres import Postgres

        self._databases.append(Postgres(f"postgres-{len(self._databases) + 1}"))
        return self._databases[-1].start()

    def fault_test(self, module: str, *, seed: int = 0, stop: bool = True) -> FaultTest:
        """Return a fault test of a module's photo service; ``run()`` it, or use it in a ``with`` block.

        Parameters
        ----------
        module
            Holds the app, and a task named ``photos.receive``.
        seed
            Of the choices of ``run()``: which worker is killed, and when.
        stop
            Whether ``run()`` stops at the first claim that does not hold.
        """
        from celerylab.faults import FaultTest
        from celerylab.faults.rig import Rig

        self._need_start()
        if self._rig is None:
            self._rig = Rig(self)
        return FaultTest(self._rig, module, seed=seed, stop=stop)

    def _stop_servers(self) -> None:
        if self._rig:
            self._rig.close()
        ended: list[Server | Flower | Broker | Postgres] = [*self._servers.values(), *self._flowers.values()]
        for server in [*ended, *self._brokers, *self._databases]:
            server.kill()
        listeners: list[Webhook | Wire] = [*self._webhooks, *self._wires]
        for listener in listeners:
            listener.stop()
        if self._mailbox:
            self._mailbox.stop()
        if self._smtp:
            self._smtp.close()
