"""A dead letter: what is known of a task that has failed for good."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from celery.utils.saferepr import saferepr
from kombu.utils import json as kombu_json

from labtasks.dead_letters.kinds import OPEN

SHOWN = 2_000  # characters of a call or a message that are kept for reading
Arguments = tuple[list[Any], dict[str, Any]]


class NotReplayable(Exception):
    """The arguments are kept as text only, so the task can't be sent again."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One task that has failed for good.

    Parameters
    ----------
    id
        Of the task.
    task
        Its name.
    kind
        How it failed: one of ``KINDS``.
    exception, message, traceback
        The exception's type with its module, its text, and where it was raised; empty if
        there was none.
    call
        The arguments, for reading; long ones are cut.
    arguments
        The arguments as JSON, for replaying; ``None`` if JSON can't take them.
    problem
        Why they can't be replayed; ``None`` if they can.
    exchange, routing_key, priority
        How the message travelled.
    options
        What else it was sent with, as JSON: what follows it, and whether its result is ignored.
        Not its time limits: a replay gets those that the task has by then.
    retries
        How often it had been retried before it failed for good.
    node
        Name of the worker.
    failed_at
        Seconds since 1970.
    root_id, parent_id
        The first task of its workflow, and the task that sent it.
    replay_of, replays
        The letter of which it was a replay, and how many replays came before it.
    state
        ``open``; ``claimed`` while a replay is being sent; ``replayed``.
    replayed_as, claimed_at
        Id of the new task, and when its replay was begun.
    """

    id: str
    task: str
    kind: str
    failed_at: float
    exception: str = ""
    message: str = ""
    traceback: str = ""
    call: str = ""
    arguments: str | None = None
    problem: str | None = None
    exchange: str = ""
    routing_key: str = ""
    priority: int | None = None
    options: str = "{}"
    retries: int = 0
    node: str = ""
    root_id: str | None = None
    parent_id: str | None = None
    replay_of: str | None = None
    replays: int = 0
    state: str = OPEN
    replayed_as: str | None = None
    claimed_at: float | None = None

    @property
    def queue(self) -> str:
        """The queue it came from, as far as the message tells."""
        named = self.exchange not in ("", self.routing_key)
        return f"{self.exchange}/{self.routing_key}" if named else self.routing_key

    @property
    def when(self) -> datetime:
        """The moment of the failure."""
        return datetime.fromtimestamp(self.failed_at, UTC)

    def read_arguments(self) -> Arguments:
        """Return the arguments as the task got them, equal in value and type.

        Raises
        ------
        NotReplayable
            They are kept as text only, or this process can't read a type that another has written.
        """
        if self.arguments is None:
            raise NotReplayable(self.problem or "no arguments are known")
        try:
            return cast(Arguments, tuple(_loads(self.arguments)))
        except Exception as error:  # noqa: BLE001  # each type has a decoder of its own
            raise NotReplayable(f"its arguments can't be read here: {error}") from None

    def read_options(self) -> dict[str, Any]:
        """Return what else ``send_task`` is to be given."""
        return cast(dict[str, Any], _loads(self.options))

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can take; arguments stand there as they travel."""
        known = msgspec.structs.asdict(self)
        known["arguments"] = json.loads(self.arguments) if self.arguments else None
        known["options"] = json.loads(self.options)
        return {**known, "queue": self.queue, "failed_at": self.when.isoformat()}

    def dump(self) -> str:
        """Return the letter as JSON, without what only its store knows."""
        known = msgspec.structs.asdict(self)
        for name in ("state", "replayed_as", "claimed_at"):
            del known[name]
        return json.dumps(known)

    @classmethod
    def load(cls, text: str | bytes, **state: Any) -> "DeadLetter":
        """Read what ``dump`` wrote; fields that another version has added are left out."""
        known = {name: value for name, value in json.loads(text).items() if name in cls.__struct_fields__}
        return cls(**known | state)


def pack(args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a letter that hold the arguments; never raises.

    What comes back from JSON must equal what went in. If it doesn't, the arguments are kept as
    text, and ``problem`` says why.
    """
    args, kwargs = args or (), kwargs or {}
    call = _call(args, kwargs)
    try:
        given = [list(args), dict(kwargs)]
        arguments = _dumps(given)
        back = _loads(arguments)
        if not _same(given, back):
            return {"call": call, "problem": "its arguments would come back changed: JSON has no such types"}
    except Exception as error:  # noqa: BLE001  # arguments are anything
        return {"call": call, "problem": f"JSON can't take its arguments: {_said(error)}"}
    return {"call": call, "arguments": arguments}


def pack_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a letter that hold what the task was sent with; never raises."""
    try:
        return {"options": _dumps({name: value for name, value in options.items() if value})}
    except Exception as error:  # noqa: BLE001  # options are anything
        return {"problem": f"JSON can't take what it was sent with: {_said(error)}", "arguments": None}


def _call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    try:
        parts = (
            *(saferepr(each, SHOWN) for each in args),
            *(f"{name}={saferepr(value, SHOWN)}" for name, value in kwargs.items()),
        )
        return ", ".join(parts)[:SHOWN]
    except Exception as error:  # noqa: BLE001  # a __repr__ of anybody's
        return f"(not to be shown: {type(error).__name__})"


def _same(given: Any, back: Any) -> bool:
    if isinstance(given, list) and isinstance(back, list):
        return len(given) == len(back) and all(map(_same, given, back))
    if isinstance(given, dict) and isinstance(back, dict):
        return given.keys() == back.keys() and all(_same(given[key], back[key]) for key in given)
    # NaN equals nothing, not even itself; it survives all the same
    return bool(given == back) or (given != given and back != back)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:SHOWN]


def _dumps(value: object) -> str:
    return str(kombu_json.dumps(value))  # type: ignore[no-untyped-call]


def _loads(text: str) -> Any:
    return kombu_json.loads(text)  # type: ignore[no-untyped-call]
