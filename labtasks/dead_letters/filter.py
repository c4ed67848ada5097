"""Which dead letters are meant."""

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import msgspec

from labtasks.dead_letters.letter import DeadLetter

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class BadTime(ValueError):
    """A point in time that can't be read."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What letters must have to be meant; what is not given does not matter.

    Parameters
    ----------
    task
        The task's name, with its module or without; ``*`` stands for anything.
    kind
        How it failed: one of ``KINDS``.
    exception
        The exception's type, with its module or without; ``*`` stands for anything.
    since, until
        When it failed.
    text
        Found in id, arguments, message or traceback, in capitals or not.
    state
        ``open``, ``claimed`` or ``replayed``.
    """

    task: str | None = None
    kind: str | None = None
    exception: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    state: str | None = None

    @property
    def earliest(self) -> float | str:
        """``since`` as Redis takes it."""
        return self.since.timestamp() if self.since else "-inf"

    @property
    def latest(self) -> float | str:
        """``until`` as Redis takes it."""
        return self.until.timestamp() if self.until else "+inf"

    def fits(self, letter: DeadLetter) -> bool:
        """Say whether a letter is meant; its time is the store's to look at."""
        return (
            _named(letter.task, self.task)
            and _named(letter.exception, self.exception)
            and self.kind in (None, letter.kind)
            and self.state in (None, letter.state)
            and self._found_in(letter)
        )

    def _found_in(self, letter: DeadLetter) -> bool:
        if self.text is None:
            return True
        places = (letter.id, letter.call, letter.message, letter.traceback)
        return any(self.text.lower() in place.lower() for place in places)


ALL = Filter()


def moment(text: str) -> datetime:
    """Read a point in time: ``2h`` ago (also s, m, d, w), or a date with or without a time.

    Raises
    ------
    BadTime
        It is neither.
    """
    number, unit = text[:-1], text[-1:]
    if unit in UNITS and number.isdigit():
        return datetime.now(UTC) - timedelta(**{UNITS[unit]: int(number)})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadTime(
            f"{text!r} is no time. Give 30m, 2h or 7d ago, or a date such as 2026-02-28T09:00"
        ) from None
    return read.astimezone()  # without an offset it is this machine's time


def _named(name: str, wanted: str | None) -> bool:
    return wanted is None or any(fnmatchcase(each, wanted) for each in (name, name.rpartition(".")[2]))
