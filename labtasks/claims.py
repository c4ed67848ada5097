"""Claims in Redis: who does a piece of work, and what came of it."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from celery.utils.log import get_task_logger
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from labtasks.settings import PREFIX, SettingsError, settings

logger = get_task_logger(__name__)

VARIABLES = tuple(PREFIX + name for name in ("IDEMPOTENCY_URL", "RESULT_BACKEND", "BROKER_URL"))
SCHEMES = ("redis://", "rediss://", "unix://")
PATIENCE = 5.0  # s to connect, and for each answer
PAUSES = (0.0, 0.2)  # s before another try; the first finds that an idle connection was closed
RENEWALS = 3  # of a lease before it would run out


class Script:
    """A script for Redis, which is sent once and then named by its hash."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


# Each says nil for yes, else what stands there instead. Who asks a second time, because the first
# answer was lost on its way, gets the same answer.
CLAIM = Script("""
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local there = redis.call('GET', KEYS[1])
if there == ARGV[1] then return false end
return there
""")
SETTLE = Script("""
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] and there ~= ARGV[2] then return there end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false
""")
RELEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")
RENEW = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")


class ClaimsAway(ConnectionError):
    """Redis does not answer: nobody can say whether the work is done already."""


class Claims:
    """Claims that are kept at one Redis server.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` or ``unix://``.
    """

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._own = threading.local()  # a connection of each thread
        self._held: dict[bytes, tuple[str, float]] = {}
        self._pause = float("inf")
        self._shorter = threading.Event()
        self._lock = threading.Lock()
        self._renewing: threading.Thread | None = None

    def claim(self, key: str, owner: bytes, lease: float) -> bytes | None:
        """Make a key the owner's for ``lease`` seconds; or return what stands there already.

        Raises
        ------
        ClaimsAway
            Redis does not answer.
        """
        return self._ask(CLAIM, key, owner, _milliseconds(lease))

    def settle(self, key: str, owner: bytes, value: bytes, expires: float) -> bytes | None:
        """Put a value in the owner's place; or return what stands there, if that is not the owner.

        Raises
        ------
        ClaimsAway
            Redis does not answer.
        """
        return self._ask(SETTLE, key, owner, value, _milliseconds(expires))

    def release(self, key: str, owner: bytes) -> None:
        """Give a key free, if it is still the owner's; its lease ends anyway."""
        try:
            self._ask(RELEASE, key, owner)
        except ClaimsAway as error:
            logger.warning("%s stays claimed until its lease ends: %s", key, error)

    @contextmanager
    def keeping(self, key: str, owner: bytes, lease: float) -> Iterator[None]:
        """Renew the lease of a claimed key while the block runs.

        One thread renews all claims of the process, and sleeps in between: a block that is
        shorter than a third of its lease costs no message.
        """
        self._held[owner] = key, lease
        if lease / RENEWALS < self._pause or self._renewing is None:
            self._renew_every(lease / RENEWALS)
        try:
            yield
        finally:
            self._held.pop(owner, None)

    def _ask(self, script: Script, key: str, *arguments: Any) -> bytes | None:
        for pause in (*PAUSES, None):
            try:
                try:
                    return self._once("EVALSHA", script.sha, key, arguments)
                except NoScriptError:
                    return self._once("EVAL", script.text, key, arguments)
            except RedisError as error:
                if pause is None:
                    raise ClaimsAway(f"Redis did not answer about {key}: {error}") from error
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _once(self, command: str, script: str, key: str, arguments: tuple[Any, ...]) -> bytes | None:
        # without redis-py's client, whose care for each command costs as much as the command
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._pool.make_connection()
        try:
            connection.send_command(command, script, 1, key, *arguments)
            return cast("bytes | None", connection.read_response())
        except NoScriptError:
            raise
        except BaseException:
            # a time limit may strike between question and answer: the next must not get this answer
            connection.disconnect()
            raise

    def _renew_every(self, pause: float) -> None:
        with self._lock:
            self._pause = min(pause, self._pause)
            if self._renewing is None:
                self._renewing = threading.Thread(target=self._renew_all, name="claims", daemon=True)
                self._renewing.start()
        self._shorter.set()

    def _renew_all(self) -> None:
        while True:
            self._shorter.clear()
            if self._shorter.wait(self._pause):
                continue
            for owner, (key, lease) in list(self._held.items()):
                try:
                    kept = self._ask(RENEW, key, owner, _milliseconds(lease))
                except ClaimsAway as error:
                    logger.warning("a lease could not be renewed: %s", error)
                    continue
                if not kept and self._held.pop(owner, None) is not None:
                    logger.warning("%s was not renewed in time, another may run now", key)


def claims() -> Claims:
    """Return the claims of this process, at ``CELERYLAB_IDEMPOTENCY_URL``.

    Not set, it is the result backend, or the broker if only that is a Redis.

    Raises
    ------
    SettingsError
        None of the three is an address of a Redis server.
    """
    return _chosen(*map(os.environ.get, VARIABLES))


@lru_cache(maxsize=4)
def _chosen(*_environment: str | None) -> Claims:
    # by the variables' values: to read and check all settings for each task would cost as much as a claim
    given = settings()
    url = given.idempotency_url
    if url is None:
        addresses = (given.result_backend, given.broker_url)
        url = next((each for each in addresses if each and each.startswith(SCHEMES)), None)
        if url is None:
            raise SettingsError(
                f"{VARIABLES[0]} is not set, and neither result backend nor broker is a Redis server. "
                "Set it to an address such as redis://127.0.0.1:6379/0."
            )
    if not url.startswith(SCHEMES):
        raise SettingsError(f"{VARIABLES[0]}: expected an address that begins with {' or '.join(SCHEMES)}.")
    return Claims(url)


# neither connections nor the thread are the child's
os.register_at_fork(after_in_child=_chosen.cache_clear)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
