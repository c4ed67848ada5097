"""Which tasks were sent from here. Celery does not know: to it, any id is a task that is PENDING."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from labtasks.web.api.models import MAX_SECONDS, Kind

PREFIX = "celerylab-api:"
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WAIT = 1200  # s after which a task that nobody has begun expires
# by then a task has ended, retries of a lost process included; results are kept longer than that
SETTLED = WAIT + 10 * int(MAX_SECONDS)


@dataclass(frozen=True)
class Entry:
    """What is known of a task that was sent.

    Attributes
    ----------
    kind
        Which task.
    at
        When it was sent, in seconds since 1970.
    cancelled
        Whether somebody has asked to cancel it.
    """

    kind: Kind
    at: float
    cancelled: bool = False

    @property
    def settled(self) -> bool:
        """Whether it is so old that it has ended."""
        return time.time() - self.at > SETTLED


class Registry:
    """Ids in Redis, kept as long as the result of each may be.

    Parameters
    ----------
    redis
        A client that gives bytes.
    expires
        Seconds that results are kept.
    """

    def __init__(self, redis: "Redis", expires: float) -> None:
        self._redis = redis
        self._keep = int(SETTLED + expires)

    async def add(self, task_id: str, kind: Kind) -> Entry:
        """Write an id down. Before the task is sent: what is sent is then known, whatever happens."""
        entry = Entry(kind, time.time())
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(PREFIX + task_id, mapping={"kind": kind, "at": repr(entry.at)})
            pipe.expire(PREFIX + task_id, self._keep)
            await pipe.execute()
        return entry

    async def cancel(self, task_id: str) -> None:
        """Write down that a task is to be cancelled."""
        await self._redis.hset(PREFIX + task_id, "cancelled", "1")

    async def find(self, task_id: str) -> Entry | None:
        """Return what is known of an id, or ``None`` if it was not sent from here."""
        return read(await self._redis.hgetall(PREFIX + task_id)) if is_id(task_id) else None


def is_id(text: str) -> bool:
    """Say whether a text may be the id of a task at all."""
    return ID.fullmatch(text) is not None


def read(fields: Mapping[Any, Any]) -> Entry | None:
    """Return an entry as Redis has it, or ``None`` if it has none."""
    if b"kind" not in fields:
        return None
    return Entry(fields[b"kind"].decode(), float(fields[b"at"]), b"cancelled" in fields)
