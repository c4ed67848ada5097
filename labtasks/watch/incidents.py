"""What is wrong now, and who was told: in Redis, so that a restart tells nobody twice."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from redis import Redis

LEASE = 60  # s that a look takes at most, an alert that nobody takes included


class Incident(msgspec.Struct):
    """Something that is wrong.

    Attributes
    ----------
    rule, subject
        Which rule found it, and where.
    text
        What was found last, in words.
    since
        When it was first found, in seconds since the epoch.
    looks
        In how many looks in a row it was found.
    told
        Whether somebody was told.
    over
        Whether it was not found in the last look.
    """

    rule: str
    subject: str
    text: str
    since: float
    looks: int = 0
    told: bool = False
    over: bool = False

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.rule}: {self.subject}"


class Incidents:
    """The open incidents of one system.

    Parameters
    ----------
    redis
        Where they are kept.
    name
        Of their key; another one for each app that shares a Redis.
    """

    def __init__(self, redis: "Redis", name: str) -> None:
        self._redis, self.name = redis, name

    def all(self) -> list[Incident]:
        """Return those that are open, the oldest first."""
        found = [msgspec.json.decode(raw, type=Incident) for raw in self._redis.hvals(self.name)]
        return sorted(found, key=lambda each: each.since)

    @contextmanager
    def mine(self) -> Iterator[bool]:
        """Say whether this process may look now: two that look at once would both tell."""
        lock = self._redis.lock(f"{self.name}.lock", timeout=LEASE, blocking=False)
        mine = lock.acquire()
        try:
            yield mine
        finally:
            if mine and lock.owned():
                lock.release()

    def found(self, rule: str, looks: Mapping[str, str]) -> None:
        """Take note of what a rule has found in one look, subject by subject."""
        known = {each.subject: each for each in self.all() if each.rule == rule}
        for subject, text in looks.items():
            incident = known.pop(subject, None) or Incident(rule, subject, text, time.time())
            incident.text, incident.looks, incident.over = text, incident.looks + 1, False
            self.keep(incident)
        for incident in known.values():
            if incident.told:
                incident.over = True
                self.keep(incident)
            else:
                self.close(incident)

    def keep(self, incident: Incident) -> None:
        """Write an incident down."""
        self._redis.hset(self.name, incident.key, msgspec.json.encode(incident))

    def close(self, incident: Incident) -> None:
        """Forget an incident."""
        self._redis.hdel(self.name, incident.key)
