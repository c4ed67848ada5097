"""One listener for all sockets: a Redis backend publishes every state that it stores."""

import asyncio
from collections import defaultdict
from contextlib import suppress

from redis.exceptions import RedisError

from labtasks.web.api.answers import Away
from labtasks.web.api.connecting import Gate
from labtasks.web.api.results import InRedis, Meta

HELD = 100  # records that a slow reader may be behind; older ones go
OPEN = "celerylab-api"  # a channel without messages: what is subscribed to something stays open

Inbox = asyncio.Queue[Meta | None]


class Hub:
    """Gives each record of a task to all who listen to it.

    Parameters
    ----------
    results
        Where records are published.
    """

    def __init__(self, results: InRedis) -> None:
        self._results = results
        self._gate = Gate()
        self._starting = asyncio.Lock()
        self._pubsub = results.redis.pubsub()
        self._inboxes: dict[str, set[Inbox]] = defaultdict(set)
        self._confirmed: dict[str, asyncio.Event] = {}
        self._reader: asyncio.Task[None] | None = None

    async def join(self, task_id: str) -> Inbox:
        """Return an inbox that gets every record from now on, and ``None`` if no more can come.

        Raises
        ------
        Away
            Redis does not answer.
        """
        channel = self._results.key(task_id)
        inbox: Inbox = asyncio.Queue(HELD)
        self._inboxes[channel].add(inbox)
        try:
            async with self._gate.patiently():
                await self._start()
                confirmed = self._confirmed.get(channel)
                if confirmed is None:
                    confirmed = self._confirmed[channel] = asyncio.Event()
                    await self._pubsub.subscribe(channel)
                # not before: what is stored until then would be missed
                await confirmed.wait()
        except BaseException:
            await self.leave(task_id, inbox)
            raise
        if channel not in self._confirmed:
            raise Away
        return inbox

    async def leave(self, task_id: str, inbox: Inbox) -> None:
        """Give an inbox back."""
        channel = self._results.key(task_id)
        self._inboxes[channel].discard(inbox)
        if not self._inboxes[channel]:
            del self._inboxes[channel]
            if self._confirmed.pop(channel, None):
                with suppress(Away):
                    async with self._gate.patiently():
                        await self._pubsub.unsubscribe(channel)

    async def close(self) -> None:
        """Listen no more."""
        if self._reader:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _start(self) -> None:
        async with self._starting:
            if self._reader is None:
                await self._pubsub.subscribe(OPEN)
                self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self._pubsub.listen():
                channel = message["channel"].decode()
                if message["type"] == "subscribe" and channel in self._confirmed:
                    self._confirmed[channel].set()
                elif message["type"] == "message":
                    record = self._results.decode(message["data"])
                    for inbox in self._inboxes.get(channel, ()):
                        _put(inbox, record)
        except (RedisError, OSError):
            pass
        finally:
            self._reader = None
            await self._drop()

    async def _drop(self) -> None:
        """Tell all who listen that nothing more comes, and begin anew for whoever comes next."""
        waiting, self._confirmed = self._confirmed, {}
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                _put(inbox, None)
        for confirmed in waiting.values():
            confirmed.set()
        old, self._pubsub = self._pubsub, self._results.redis.pubsub()
        with suppress(RedisError, OSError):
            await old.aclose()  # type: ignore[no-untyped-call]


def _put(inbox: Inbox, record: Meta | None) -> None:
    if inbox.full():
        inbox.get_nowait()
    inbox.put_nowait(record)
