"""Who may ask, and how often: looked at before a request's body is read."""

import hashlib
import hmac
import math
import time
from collections.abc import Callable

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import BlockingConnectionPool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labtasks.settings import SettingsError
from labtasks.web.api import texts
from labtasks.web.api.answers import Refused, answer
from labtasks.web.api.connecting import Gate, pool
from labtasks.web.api.models import MAX_BODY

LEAST = 16  # characters of a key
GUARDED = "/tasks"
PASSED = "celerylab.guard"  # in the scope of a request that came by here


class Guard:
    """A key, and the rate at which it may be used.

    Parameters
    ----------
    key
        The service's own.
    rate
        As ``limits`` reads it: ``1200/minute``.
    url
        Redis that counts for all processes of the service; this process alone if not given.

    Raises
    ------
    SettingsError
        There is no key, it is short, or the rate is none.
    """

    def __init__(self, key: str | None, rate: str, url: str | None = None) -> None:
        if not key:
            raise SettingsError(texts.NO_KEY)
        if len(key) < LEAST or not all("!" <= each <= "~" for each in key):
            raise SettingsError(texts.BAD_KEY.format(least=LEAST))
        self._digest = _digest(key)
        # in Redis others may read it: a name made of the key, not the key
        self._name = self._digest.hex()[:16]
        self._rate = _parsed(rate)
        self._url = url
        self._gate = Gate()
        self._pool: BlockingConnectionPool | None = None
        self._limiter: SlidingWindowCounterRateLimiter | None = None

    async def allow(self, key: str | None) -> None:
        """Return if the holder of a key may ask now.

        Raises
        ------
        Refused
            401 for no key or a wrong one, 429 for too many requests, 503 if nobody can count them.
        """
        if key is None:
            raise Refused(401, texts.KEY_MISSING)
        if not hmac.compare_digest(_digest(key), self._digest):
            raise Refused(401, texts.KEY_WRONG)
        limiter = self._limiter = self._limiter or self._open()
        async with self._gate.patiently():
            if await limiter.hit(self._rate, self._name):
                return
            window = await limiter.get_window_stats(self._rate, self._name)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        raise Refused(429, texts.TOO_MANY.format(rate=self._rate, seconds=seconds), seconds)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Return the app behind the guard; a WebSocket brings its key in its first message."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and _path(scope).startswith(GUARDED):
                try:
                    await self.allow(Headers(scope=scope).get("x-api-key"))
                except Refused as refused:
                    return await answer(refused)(scope, receive, send)
                return await app({**scope, PASSED: True}, _limited(scope, receive), send)
            return await app(scope, receive, send)

        return guarded

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool:
            await self._pool.disconnect()

    def _open(self) -> SlidingWindowCounterRateLimiter:
        # in the event loop that serves, not in the one that imports
        if self._url is None:
            return SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool = pool(self._url)
        storage = RedisStorage(
            self._url,
            implementation="redispy",
            key_prefix="celerylab-api-rate",
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        return SlidingWindowCounterRateLimiter(storage)


def _path(scope: Scope) -> str:
    # behind a proxy that gives the service a path of its own, that path comes first
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Return a ``receive`` that refuses a body that is too large, announced or in pieces without end."""
    announced = Headers(scope=scope).get("content-length", "")
    read, too_large = 0, announced.isdecimal() and int(announced) > MAX_BODY

    async def limited() -> Message:
        nonlocal read
        message = {"type": "http.request"} if too_large else await receive()
        read += len(message.get("body", b""))
        if too_large or read > MAX_BODY:
            raise HTTPException(413, texts.TOO_LARGE.format(bytes=MAX_BODY))
        return message

    return limited


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _parsed(rate: str) -> RateLimitItem:
    read: Callable[[str], RateLimitItem] = parse
    try:
        return read(rate)
    except ValueError:
        raise SettingsError(texts.BAD_RATE.format(found=rate)) from None
