"""Articles of a site: how often each is read, and a cache of the most popular."""

import json
from typing import TypedDict

from labtasks.keeping import redis

READINGS = "labtasks.articles.readings"
POPULAR = "labtasks.articles.popular"


class Article(TypedDict):
    """One article of the cache."""

    article: str
    readings: int


def count_reading(article: str) -> int:
    """Count that an article was read once more, and return how often it was."""
    return int(redis().zincrby(READINGS, 1, article))  # type: ignore[arg-type]  # synchronous client


def popular() -> list[Article] | None:
    """Return the cached articles, most read first; ``None`` if nobody refreshed them in time."""
    cached = redis().get(POPULAR)
    return json.loads(cached) if isinstance(cached, bytes) else None


def refresh(n: int, keep: float) -> list[Article]:
    """Fill the cache with the articles that were read most.

    Parameters
    ----------
    n
        At most so many.
    keep
        Seconds after which the cache is empty, unless it is filled again before: readers then
        know that it is old, instead of taking last week's for today's.
    """
    client = redis()
    found: list[tuple[bytes, float]] = client.zrevrange(READINGS, 0, n - 1, withscores=True)  # type: ignore[assignment]
    articles = [Article(article=name.decode(), readings=int(readings)) for name, readings in found]
    client.set(POPULAR, json.dumps(articles), px=int(keep * 1000))
    return articles
