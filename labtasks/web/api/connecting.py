"""Connections to Redis that answer soon, or say soon that they can't."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from labtasks.web.api.answers import Away
from labtasks.web.sending import BrokerDown

PATIENCE = 1.0  # s for whatever one request asks of Redis
AT_ONCE = 10  # requests that ask; Celery keeps as many connections to send on


def pool(url: str, **options: Any) -> BlockingConnectionPool:
    """Return connections to a Redis; used in one event loop only."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=2 * AT_ONCE,
        timeout=PATIENCE,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        # a connection kept from before a restart fails at its first use
        retry=Retry(NoBackoff(), 1),
        **options,
    )


class Gate:
    """Lets some requests at a time ask Redis, each for a limited time.

    A crowd waits in line, and the time in line does not count: it says nothing about Redis. Once
    one has found Redis away, all who were in line by then hear of it, instead of trying in turn.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failed = 0.0

    @asynccontextmanager
    async def patiently(self) -> AsyncIterator[None]:
        """Let a block ask.

        Raises
        ------
        Away
            It took too long, or Redis did not answer.
        """
        came = time.monotonic()
        async with self._slots:
            if self._failed > came:
                raise Away
            try:
                async with asyncio.timeout(PATIENCE):
                    yield
            except (RedisError, BrokerDown, TimeoutError):
                self._failed = time.monotonic()
                raise Away from None
