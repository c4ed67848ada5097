"""Where dead letters lie: in Redis, one a task, with limits on how many and how old."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from labtasks.dead_letters import scripts
from labtasks.dead_letters.filter import ALL, Filter
from labtasks.dead_letters.letter import DeadLetter
from labtasks.settings import settings

NAME = "labtasks.dead_letters"
KEEP = 10_000  # letters
DAYS = 30.0
CONNECT_TIMEOUT, TIMEOUT = 1.0, 2.0  # s; a worker's main process waits no longer than that
BATCH = 200  # letters read at once


class StoreError(Exception):
    """The store does not answer, or refuses."""


class NoSuchLetter(LookupError):
    """There is no dead letter of that id."""


class Alert(NamedTuple):
    """An alert that is this process's to send, for a while.

    Attributes
    ----------
    letter
        What it is about.
    tries
        How often it was begun by now, this time included.
    """

    letter: DeadLetter
    tries: int


def default_store(name: str = NAME, **instead: str) -> "DeadLetters":
    """Return the store that the settings name, or another one beside it.

    Parameters
    ----------
    name
        Of the store.
    instead
        Settings that count instead of the environment's, such as ``broker_url``.
    """
    given = settings(**instead)
    url = given.dead_letters_url or given.broker_url
    return DeadLetters(url, name, keep=given.dead_letters_keep, days=given.dead_letters_days)


class DeadLetters:
    """The dead letters of one app.

    Making one connects to nothing. The limits are those of whoever writes: looking removes nothing.

    Parameters
    ----------
    url
        Of a Redis server, ``redis://…`` or ``rediss://…``.
    name
        What its keys begin with, so that several may lie on one server.
    keep
        Letters at most. With one more the oldest goes, and is counted.
    days
        Age at most; what is older goes, and is counted.
    """

    def __init__(self, url: str, name: str = NAME, *, keep: int = KEEP, days: float = DAYS) -> None:
        if keep < 1 or days <= 0:
            raise ValueError(f"keep is 1 or more and days above 0, not {keep} and {days}")
        self.url, self.name, self.keep, self.days = url, name, keep, days
        tag = f"{{{name}}}"
        self._index, self._outbox, self._gone = f"{tag}:index", f"{tag}:outbox", f"{tag}:gone"
        self._prefix = f"{tag}:letter:"
        self._keys = [self._index, self._outbox, self._gone, self._prefix]
        self._made_by: int | None = None
        self._made: redis.Redis | None = None

    # -- write --------------------------------------------------------------------------

    def add(self, letter: DeadLetter, *, alert: bool = False) -> bool:
        """Store a letter in one step, if there is none of its task yet; say whether it is new.

        Parameters
        ----------
        letter
            The letter.
        alert
            Whether somebody is to be told of a new one.
        """
        due = repr(time.time()) if alert else ""
        known = letter.id, letter.dump(), letter.failed_at, due
        return bool(self._run(scripts.ADD, *known, *self._limits()))

    def drop(self, letter_id: str) -> None:
        """Remove a letter; ``NoSuchLetter`` if it isn't there."""
        if not self._run(scripts.DROP, letter_id):
            raise self._missing(letter_id)

    def drop_all(self, wanted: Filter = ALL) -> int:
        """Remove all letters that are meant; return how many."""
        return sum(self._run(scripts.DROP, letter.id) for letter in self.find(wanted))

    def trim(self) -> None:
        """Let go of what is too old or too much, though nothing new has come."""
        self._run(scripts.TRIM, *self._limits())

    # -- read ---------------------------------------------------------------------------

    def get(self, letter_id: str) -> DeadLetter:
        """Return a letter; ``NoSuchLetter`` if it isn't there."""
        (found,) = self._read([letter_id])
        if found is None:
            raise self._missing(letter_id)
        return found

    def find(self, wanted: Filter = ALL, *, limit: int | None = None, skip: int = 0) -> list[DeadLetter]:
        """Return letters, those that failed last first.

        Parameters
        ----------
        wanted
            Which.
        limit
            How many at most; all if not given.
        skip
            How many of the first ones to leave out.
        """
        found: list[DeadLetter] = []
        for letter in self.all(wanted):
            if limit is not None and len(found) >= limit:
                break
            if skip > 0:
                skip -= 1
            else:
                found.append(letter)
        return found

    def all(self, wanted: Filter = ALL) -> Iterator[DeadLetter]:
        """Go through letters, those that failed last first, without holding them all."""
        with self._asked() as client:
            ids: Any = client.zrevrangebyscore(self._index, wanted.latest, wanted.earliest)
        for start in range(0, len(ids), BATCH):
            # one that was dropped meanwhile is no longer there
            yield from (
                found
                for found in self._read([each.decode() for each in ids[start : start + BATCH]])
                if found is not None and wanted.fits(found)
            )

    def count(self, wanted: Filter = ALL) -> int:
        """Return how many letters there are."""
        if wanted == ALL:
            with self._asked() as client:
                return int(client.zcard(self._index))
        return sum(1 for _ in self.all(wanted))

    def gone(self) -> dict[str, int]:
        """Return how many letters went, because there were too many or they were too old."""
        with self._asked() as client:
            counts = client.hgetall(self._gone)
        return {why: int(counts.get(why.encode(), 0)) for why in ("size", "age")}

    # -- replay -------------------------------------------------------------------------

    def claim(self, letter_id: str, new_id: str, *, force: bool = False) -> str:
        """Take a letter for a replay, and return ``"yours"``, or the state that stands against it.

        Of several who claim it at the same moment, one gets it.

        Parameters
        ----------
        letter_id
            The letter.
        new_id
            Of the task that is about to be sent.
        force
            Take over a claim that somebody has left.

        Raises
        ------
        NoSuchLetter
            It isn't there.
        """
        answer = self._run(scripts.CLAIM, letter_id, new_id, time.time(), int(force)).decode()
        if answer == "missing":
            raise self._missing(letter_id)
        return str(answer)

    def settle(self, letter_id: str, new_id: str, state: str) -> None:
        """Say how a claim has ended: ``replayed``, or ``open`` again if nothing was sent."""
        self._run(scripts.SETTLE, letter_id, new_id, state)

    # -- alerts -------------------------------------------------------------------------

    def take_alert(self, lease: float) -> Alert | None:
        """Return an alert that is due, if there is one; for so many seconds nobody else gets it."""
        now = time.time()
        found = self._run(scripts.TAKE_ALERT, now, now + lease)
        if not found:
            return None
        _, body, tries = found
        return Alert(DeadLetter.load(body), int(tries))

    def alert_sent(self, letter_id: str) -> None:
        """Take an alert out of the outbox."""
        with self._asked() as client:
            client.zrem(self._outbox, letter_id)

    def alert_failed(self, letter_id: str, wait: float) -> None:
        """Let an alert be taken again, so many seconds from now."""
        with self._asked() as client:
            client.zadd(self._outbox, {letter_id: time.time() + wait}, xx=True)

    def alerts_waiting(self) -> int:
        """Return how many alerts nobody has taken yet."""
        with self._asked() as client:
            return int(client.zcard(self._outbox))

    # -- how ----------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"DeadLetters({self.name!r})"  # the address may hold a password

    def _limits(self) -> tuple[float, int]:
        return time.time() - self.days * 86_400, self.keep

    def _missing(self, letter_id: str) -> NoSuchLetter:
        return NoSuchLetter(f"there is no dead letter {letter_id!r} in {self.name}")

    def _read(self, ids: list[str]) -> list[DeadLetter | None]:
        with self._asked() as client, client.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.hmget(self._prefix + each, "body", "state", "replayed_as", "claimed_at")
            rows = pipe.execute()
        return [self._letter(*row) for row in rows]

    @staticmethod
    def _letter(
        body: bytes | None, state: bytes, replayed_as: bytes | None, claimed_at: bytes | None
    ) -> DeadLetter | None:
        if body is None:
            return None
        return DeadLetter.load(
            body,
            state=state.decode(),
            replayed_as=replayed_as.decode() if replayed_as else None,
            claimed_at=float(claimed_at) if claimed_at else None,
        )

    def _run(self, script: str, *arguments: object) -> Any:
        with self._asked() as client:
            return client.register_script(script)(self._keys, list(arguments))  # type: ignore[arg-type]

    @contextmanager
    def _asked(self) -> Iterator[redis.Redis]:
        try:
            yield self._client()
        except (redis.RedisError, ValueError, OSError) as error:
            raise StoreError(f"the store of dead letters does not answer: {error}") from error

    def _client(self) -> redis.Redis:
        # a connection must not be shared with the process that this one was forked from
        if self._made is None or self._made_by != os.getpid():
            self._made = redis.Redis.from_url(
                self.url,
                socket_connect_timeout=CONNECT_TIMEOUT,
                socket_timeout=TIMEOUT,
                # once more: a connection may have been closed meanwhile; never after a timeout
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
            self._made_by = os.getpid()
        return self._made
