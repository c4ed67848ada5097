"""Where tasks keep what is neither a message nor a result: the broker's Redis."""

from functools import lru_cache
from typing import TYPE_CHECKING

from labtasks.settings import settings

if TYPE_CHECKING:
    from redis import Redis


def redis() -> "Redis":
    """Return a client of the broker's Redis, one pool of connections a process and address."""
    return _connected(settings().broker_url)


@lru_cache(maxsize=1)
def _connected(url: str) -> "Redis":
    from redis import Redis

    return Redis.from_url(url)
