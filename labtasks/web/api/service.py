"""Send, look up and cancel: what the endpoints ask for, whoever gives it."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from anyio import CapacityLimiter, to_thread
from celery import Celery
from redis.asyncio import Redis

from labtasks.settings import Settings
from labtasks.web.api import registry, texts
from labtasks.web.api.answers import Refused
from labtasks.web.api.connecting import AT_ONCE, Gate, pool
from labtasks.web.api.models import Kind, Task
from labtasks.web.api.registry import WAIT, Entry, Registry
from labtasks.web.api.results import Elsewhere, InRedis, Meta, Results, described
from labtasks.web.sending import hurry, reaching

NAMES: dict[Kind, str] = {
    "add": "labtasks.basics.add",
    "long": "labtasks.basics.long_task",
    "process": "labtasks.basics.process_data",
}


class Service(Protocol):
    """What the endpoints need. Each may raise ``Refused``: 404, 409, 503."""

    async def submit(self, kind: Kind, args: tuple[Any, ...]) -> Task:
        """Send a task."""

    async def find(self, task_id: str) -> Task:
        """Look a task up."""

    async def cancel(self, task_id: str) -> Task:
        """Revoke a task, and end it if it runs."""

    async def ping(self) -> None:
        """Return if tasks can be sent now."""


class CeleryService:
    """Tasks of ``labtasks``, by way of broker and workers.

    Parameters
    ----------
    settings
        Where these are.
    """

    def __init__(self, settings: Settings) -> None:
        self._app = _app("labtasks.web.api")
        # sends, and listens to no result: with a backend, every task sent would open a subscription
        self._sender = _app("labtasks.web.api.sender")
        self._sender.conf.result_backend = "disabled"
        self._broker = settings.broker_url
        self._backend = settings.result_backend or settings.broker_url
        self.live: InRedis | None = None

    def open(self) -> None:
        """Make the clients; in the event loop that uses them."""
        self._redis = Redis(connection_pool=pool(self._broker))
        self._registry = Registry(self._redis, float(self._app.conf.result_expires))
        self._gate = Gate()
        self._threads = CapacityLimiter(AT_ONCE)
        if self._backend.startswith(("redis:", "rediss:")):
            same = self._backend == self._broker
            self.live = InRedis(
                self._app, self._redis if same else Redis(connection_pool=pool(self._backend))
            )
        self._results: Results = self.live or Elsewhere(self._app)

    async def close(self) -> None:
        """Close them."""
        await self._redis.aclose(close_connection_pool=True)
        if self.live:
            await self.live.redis.aclose(close_connection_pool=True)

    async def submit(self, kind: Kind, args: tuple[Any, ...]) -> Task:
        """Write a task down, then send it."""
        task_id = str(uuid4())
        async with self._gate.patiently():
            entry = await self._registry.add(task_id, kind)
            await self._apart(
                partial(self._sender.send_task, NAMES[kind], args, task_id=task_id, expires=WAIT)
            )
        return view(task_id, entry, None)

    async def find(self, task_id: str) -> Task:
        """Look a task up, by what was written down and what the workers have stored."""
        async with self._gate.patiently():
            entry, meta = await self._look(task_id)
        if entry is None or (meta is None and entry.settled):
            raise Refused(404, texts.UNKNOWN.format(id=task_id))
        return view(task_id, entry, meta)

    async def cancel(self, task_id: str) -> Task:
        """Tell the workers to drop a task, and to end the process that runs it."""
        found = await self.find(task_id)
        if found.state == "REVOKED":  # as often as one likes
            return found
        if found.ended:
            raise Refused(409, texts.ENDED.format(id=task_id, state=found.state))
        async with self._gate.patiently():
            await self._registry.cancel(task_id)
            await self._apart(partial(self._sender.control.revoke, task_id, terminate=True))
        return await self.find(task_id)

    async def ping(self) -> None:
        """Ask the broker."""
        async with self._gate.patiently():
            await self._redis.ping()

    async def _look(self, task_id: str) -> tuple[Entry | None, Meta | None]:
        if self.live and self.live.redis is self._redis and registry.is_id(task_id):
            # one way to Redis instead of two
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(registry.PREFIX + task_id)
                pipe.get(self.live.key(task_id))
                fields, raw = await pipe.execute()
            return registry.read(fields), raw and self.live.decode(raw)
        entry = await self._registry.find(task_id)
        return entry, await self._results.get(task_id) if entry else None

    async def _apart(self, call: Any) -> None:
        """Call what blocks, in a thread."""

        def reached() -> None:
            with reaching():
                call()

        await to_thread.run_sync(reached, limiter=self._threads, abandon_on_cancel=True)


def view(task_id: str, entry: Entry, meta: Meta | None) -> Task:
    """Return a task as it is shown."""
    fields = described(meta)
    cancelling = entry.cancelled and not fields["ended"]
    at = datetime.fromtimestamp(entry.at, UTC)
    return Task(id=task_id, task=entry.kind, cancelling=cancelling, submitted_at=at, **fields)


def updated(task: Task, meta: Meta) -> Task:
    """Return a task as it is by a newer record."""
    fields = {"progress": None, "result": None, "error": None, **described(meta)}
    return task.model_copy(update={**fields, "cancelling": task.cancelling and not fields["ended"]})


def _app(name: str) -> Celery:
    # tasks are sent by name: this process needs none of the workers' modules
    app = Celery(name, set_as_current=False)
    app.config_from_object("labtasks.celeryconfig")
    hurry(app)
    return app
