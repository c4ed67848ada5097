"""Send dead letters once more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from celery import uuid
from kombu.entity import Queue

from labtasks.dead_letters.causes import REPLAY_OF, REPLAYS
from labtasks.dead_letters.filter import ALL, Filter
from labtasks.dead_letters.kinds import CLAIMED, OPEN, REPLAYED
from labtasks.dead_letters.letter import DeadLetter, NotReplayable
from labtasks.dead_letters.store import DeadLetters, NoSuchLetter

if TYPE_CHECKING:
    from celery import Celery

CONNECT_TIMEOUT = 5.0  # s


class ReplayRefused(Exception):
    """A letter is not sent again; the message says why."""


class Replayed(NamedTuple):
    """What became of one letter.

    Attributes
    ----------
    id
        Of the letter.
    new_id
        Of the task that was sent; ``None`` if none was.
    problem
        Why not.
    """

    id: str
    new_id: str | None = None
    problem: str | None = None


def replay(store: DeadLetters, app: "Celery", letter_id: str, *, force: bool = False) -> str:
    """Send the task of a dead letter again, to the queue it came from; return the new task's id.

    However many do so at the same moment, one sends it. The letter stays and says what it was
    replayed as; if the new task fails too, its letter says what it is a replay of.

    Parameters
    ----------
    store
        Where the letter is.
    app
        Any app of the same broker; it needn't know the task.
    letter_id
        The letter.
    force
        Send it though a replay was begun and never finished. It may run twice then.

    Raises
    ------
    NoSuchLetter, StoreError
        As of the store.
    NotReplayable
        Its arguments are kept as text only.
    ReplayRefused
        It was replayed already, or somebody is doing so.
    kombu.exceptions.OperationalError
        The broker does not answer; the letter can be replayed later.
    """
    letter = store.get(letter_id)
    _reach_broker(app)
    return _replay(store, app, letter, force=force)


def replay_all(store: DeadLetters, app: "Celery", wanted: Filter = ALL) -> Iterator[Replayed]:
    """Replay what can be replayed, oldest first, and say of each what became of it.

    Letters that are claimed or replayed already are left alone.
    """
    chosen = msgspec.structs.replace(wanted, state=wanted.state or OPEN)
    found = store.find(chosen)
    if found:
        _reach_broker(app)
    for letter in reversed(found):
        try:
            yield Replayed(letter.id, _replay(store, app, letter))
        except (NotReplayable, ReplayRefused, NoSuchLetter) as problem:
            yield Replayed(letter.id, problem=str(problem))


def refusal(letter: DeadLetter) -> str:
    """Say why a letter is not replayed once more."""
    if letter.state == REPLAYED:
        return f"{letter.id} was replayed already, as {letter.replayed_as}"
    if letter.state == CLAIMED:
        begun = datetime.fromtimestamp(letter.claimed_at or 0, UTC).isoformat(" ", "seconds")
        return (
            f"a replay of {letter.id} as {letter.replayed_as} was begun at {begun} and has not ended; "
            "if whoever began it is gone, force it"
        )
    return f"{letter.id} was being replayed, and is no longer; try again"


def _replay(store: DeadLetters, app: "Celery", letter: DeadLetter, *, force: bool = False) -> str:
    args, kwargs = letter.read_arguments()
    new_id: str = uuid()
    if store.claim(letter.id, new_id, force=force) != "yours":
        raise ReplayRefused(refusal(store.get(letter.id)))
    try:
        _send(app, letter, new_id, args, kwargs)
    except Exception:
        store.settle(letter.id, new_id, OPEN)
        raise
    store.settle(letter.id, new_id, REPLAYED)
    return new_id


def _reach_broker(app: "Celery") -> None:
    # sending alone would try for some 20 s before it says so
    with app.connection_for_write(connect_timeout=CONNECT_TIMEOUT) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT)


def _send(app: "Celery", letter: DeadLetter, new_id: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    options = letter.read_options()
    if letter.exchange:
        options |= {"exchange": letter.exchange, "routing_key": letter.routing_key}
    elif letter.routing_key:
        # a queue of that name, whether this app knows it or not
        options["queue"] = Queue(letter.routing_key)  # type: ignore[no-untyped-call]
    if letter.priority is not None:
        options["priority"] = letter.priority
    app.send_task(
        letter.task,
        args,
        kwargs,
        task_id=new_id,
        root_id=letter.root_id,
        parent_id=letter.parent_id,
        headers={REPLAY_OF: letter.id, REPLAYS: letter.replays + 1},
        declare=[],  # the queue is there, with options that only its own app knows
        **options,
    )
