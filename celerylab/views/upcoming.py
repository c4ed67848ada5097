"""When a schedule is due: asked of Celery's own schedule objects, with a clock that is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from celerylab.errors import LabError
from celerylab.views import texts

if TYPE_CHECKING:
    from datetime import tzinfo

    from celery import Celery

PATIENCE = 1000  # looks in a row that find nothing due, until a schedule counts as one that never is
LOOK_AGAIN = 300.0  # s, as in Beat, if a schedule does not say when to look again
MOST = 1_000_000  # runs
LEAST = timedelta(microseconds=1)


def runs(
    schedule: object, start: datetime, end: datetime, *, relative: bool = False, last: datetime | None = None
) -> list[datetime]:
    """Return when a Beat that runs all the while sends an entry, after ``start`` and up to ``end``.

    Nothing is waited for: the schedule is asked as Beat asks it, with a clock that is moved on to
    the moment at which it wants to be asked again. A real Beat is some milliseconds later, and an
    interval counts from there.

    Parameters
    ----------
    schedule
        Seconds, ``timedelta``, ``crontab``, or any other schedule of Celery's.
    start
        When Beat starts, with a zone: that in which hours and days of a crontab are meant.
    end
        With a zone, too.
    relative
        The entry's ``relative``: whether an interval is rounded to the clock.
    last
        When the entry was sent last, as Beat's file says; at ``start`` if not given, as for Beat
        without a file.

    Raises
    ------
    LabError
        A time has no zone, the schedule is none, or the runs are too many to look at.
    """
    _need_zone(end)
    ahead = takewhile(lambda moment: moment <= end, upcoming(schedule, start, relative, last))
    found = list(islice(ahead, MOST + 1))
    if len(found) > MOST:
        raise LabError(texts.TOO_MANY_RUNS.format(most=f"{MOST:,}", start=start, end=end))
    return found


def upcoming(
    schedule: object, start: datetime, relative: bool = False, last: datetime | None = None
) -> Iterator[datetime]:
    """Give one after the other the moments that ``runs`` returns, without an end."""
    _need_zone(start)
    clock = Clock(start)
    last = start if last is None else last.astimezone(start.tzinfo)
    asked = _asked(schedule, clock, relative)
    if interval := _interval(asked):
        yield from _every(interval, start, last)
    in_vain = 0
    while in_vain < PATIENCE:
        due, seconds = asked.is_due(last)
        in_vain = 0 if due else in_vain + 1
        if due:
            last = clock.now
            yield clock.now
        clock.move(seconds if isinstance(seconds, int | float) else LOOK_AGAIN)


class Clock:
    """A clock that stands still until it is moved.

    Attributes
    ----------
    now
        What it shows.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now

    def move(self, seconds: float) -> None:
        """Move it on, by a microsecond at least."""
        self.now = _later(self.now, max(timedelta(seconds=seconds), LEAST))


def seconds_of(schedule: object) -> float | None:
    """Return the interval of a schedule that is one; ``None`` for others."""
    if isinstance(schedule, int | float) and not isinstance(schedule, bool):
        return float(schedule)
    every = schedule if isinstance(schedule, timedelta) else getattr(schedule, "run_every", None)
    return every.total_seconds() if isinstance(every, timedelta) else None


def _need_zone(moment: datetime) -> None:
    if moment.utcoffset() is None:
        raise LabError(texts.NO_ZONE.format(moment=moment))


def _asked(schedule: object, clock: Clock, relative: bool) -> Any:
    """Return a schedule of Celery's that goes by this clock; the one given stays as it is."""
    from celery import schedules

    seconds = seconds_of(schedule)
    if seconds is not None and not 0 < seconds < timedelta.max.total_seconds():
        raise LabError(texts.NO_INTERVAL.format(found=f"{seconds:g}"))
    if isinstance(schedule, schedules.BaseSchedule):
        # not copy(): a class of the learner's own may not say how it is made again
        asked: Any = object.__new__(type(schedule))
        asked.__dict__.update(schedule.__dict__)
        asked.__dict__.pop("tz", None)  # remembered from the app that it had before
    elif seconds is not None:
        asked = schedules.schedule(timedelta(seconds=seconds), relative)
    else:
        raise LabError(texts.NO_SCHEDULE.format(found=repr(schedule), kind=type(schedule).__name__))
    assert clock.now.tzinfo
    asked.app, asked.nowfun = _app(clock.now.tzinfo), clock
    return asked


@lru_cache(maxsize=8)
def _app(zone: tzinfo) -> Celery:
    from celery import Celery

    app = Celery("celerylab.preview", set_as_current=False)
    app.conf.timezone = zone
    return app


def _interval(asked: Any) -> timedelta | None:
    """Return the interval of a schedule that is nothing but an interval."""
    from celery import schedules

    if type(asked) is schedules.schedule and not asked.relative:
        every: timedelta = asked.run_every
        return every
    return None


def _every(interval: timedelta, start: datetime, last: datetime) -> Iterator[datetime]:
    # a week of an entry every 30 s has 20,160 moments: to ask for each would take seconds
    moment = max(_later(last, interval), start)
    while True:
        yield moment
        moment = _later(moment, interval)


def _later(moment: datetime, by: timedelta) -> datetime:
    # in UTC: in a zone, Python moves the hands of the clock, and not the time
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)
