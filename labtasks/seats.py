"""A limited resource: so many may use it at once, in any process on any machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from redis import Redis

# one step, so that no two see the last free seat; the server's clock, since those of two machines differ
TAKE = """
local now = redis.call('TIME')
local seconds = now[1] + now[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', seconds)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('ZADD', KEYS[1], seconds + ARGV[3], ARGV[1])
    return 1
end
return 0
"""


class NoSeatFree(Exception):
    """All seats are taken."""


class Seats:
    """Seats that are given back, at the latest when their lease ends.

    Parameters
    ----------
    redis
        Where the holders are kept.
    name
        Of the resource.
    limit
        Holders at the same time.
    lease
        Seconds after which the seat of a holder that died is free again: longer than any holder
        needs it.

    Raises
    ------
    ValueError
        ``limit`` or ``lease`` leaves no seat to take.
    """

    def __init__(self, redis: Redis, name: str, limit: int, lease: float) -> None:
        if limit < 1 or lease <= 0:
            raise ValueError(f"limit must be 1 or more and lease positive, not {limit!r} and {lease!r}")
        self._redis = redis
        self._key = f"seats:{name}"
        self.name = name
        self.limit = limit
        self.lease = lease
        self._take = redis.register_script(TAKE)

    def take(self, holder: str) -> None:
        """Take a seat; who holds one already keeps it for another lease.

        Raises
        ------
        NoSeatFree
            Others hold all of them.
        """
        if not self._take(keys=[self._key], args=[holder, self.limit, self.lease]):
            raise NoSeatFree(f"all {self.limit} seats of {self.name!r} are taken")

    def give_back(self, holder: str) -> None:
        """Give a seat back; nothing happens if there is none."""
        self._redis.zrem(self._key, holder)

    @contextmanager
    def held(self, holder: str) -> Iterator[None]:
        """Hold a seat during a block; see ``take``."""
        self.take(holder)
        try:
            yield
        finally:
            self.give_back(holder)

    def holders(self) -> list[str]:
        """Return who holds a seat, by the end of their leases."""
        seconds, microseconds = self._redis.time()
        now = seconds + microseconds / 1e6
        found = cast(list[bytes], self._redis.zrangebyscore(self._key, f"({now}", "+inf"))
        return [holder.decode() for holder in found]
