"""``lab.preview()``: the next runs of a schedule, as a list and as a picture of the week."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from celerylab.errors import LabError
from celerylab.views import texts
from celerylab.views.table import Table
from celerylab.views.upcoming import runs, seconds_of, upcoming

if TYPE_CHECKING:
    from celery import Celery

    from celerylab.views.picture import Picture

DEFAULT_ZONE = "UTC"  # as in Celery
LONGEST = 366  # days
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
CRONTAB = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")  # as in cron


@dataclass
class Lane:
    """An entry: its name, its schedule in words, its runs in the time shown, and the first of all."""

    name: str
    schedule: str
    runs: list[datetime]
    first: list[datetime]


class Preview:
    """When each entry of a schedule is sent.

    ``preview["hourly"]`` has the runs of one entry, ``timeline()`` a picture of all.

    Parameters
    ----------
    lanes
        The entries.
    start, end
        The time shown, in the zone in which it is shown.
    zone
        The zone in which hours and days of the schedule are meant.
    """

    def __init__(self, lanes: Sequence[Lane], start: datetime, end: datetime, zone: tzinfo) -> None:
        self.lanes = list(lanes)
        self.start = start
        self.end = end
        self.zone = zone

    def __getitem__(self, name: str) -> list[datetime]:
        found = {lane.name: lane.runs for lane in self.lanes}
        if name not in found:
            raise LabError(texts.NO_ENTRY.format(name=name, names=", ".join(found)))
        return found[name]

    def __repr__(self) -> str:
        return f"{self.title}\n{self.table()!r}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.title)}</p>{self.table()._repr_html_()}"

    @property
    def title(self) -> str:
        """What is shown: from when on, for how long, by which clock."""
        days = f"{(self.end - self.start) / timedelta(days=1):g}"
        text = (texts.PREVIEW_DAY if days == "1" else texts.PREVIEW).format(
            days=days, start=said(self.start, year=True), zone=self.start.tzinfo
        )
        other = str(self.zone) != str(self.start.tzinfo)
        return text + (texts.PREVIEW_MEANT.format(zone=self.zone) if other else "")

    def table(self) -> Table:
        """Return a row an entry: its schedule, how many runs, and the next of them."""
        rows = [
            [lane.name, lane.schedule, len(lane.runs), in_words(lane.first, self.start, self.end)]
            for lane in self.lanes
        ]
        return Table(texts.PREVIEW_COLUMNS, rows)

    def timeline(self) -> Picture:
        """Draw a lane an entry, all on one axis of time."""
        from celerylab.views.calendar import calendar  # matplotlib, only once a figure is wanted

        return calendar(self)


def preview(
    schedule: Mapping[str, Mapping[str, Any]] | Celery,
    *,
    start: datetime | None = None,
    days: float = 7,
    timezone: str | tzinfo | None = None,
    shown_in: str | tzinfo | None = None,
    first: int = 3,
) -> Preview:
    """Return when the entries of a schedule are sent; see ``lab.preview``."""
    conf = getattr(schedule, "conf", None)
    entries: Mapping[str, Mapping[str, Any]] = schedule if conf is None else conf.beat_schedule
    if not isinstance(entries, Mapping):
        raise LabError(texts.NO_ENTRIES.format(kind=type(schedule).__name__))
    if not entries:
        raise LabError(texts.EMPTY_SCHEDULE)
    if not 0 < days <= LONGEST:
        raise LabError(texts.NO_DAYS.format(days=days, longest=LONGEST))
    zone = _zone(timezone or (conf and conf.timezone) or DEFAULT_ZONE)
    shown = _zone(shown_in) if shown_in else zone
    begin = datetime.now(UTC) if start is None else start
    if begin.utcoffset() is None:
        raise LabError(texts.NO_ZONE.format(moment=start))
    begin = begin.astimezone(zone)
    # days of the calendar: where the clock is changed, one of them has 23 hours
    end = (begin.astimezone(shown) + timedelta(days=days)).astimezone(zone)
    lanes = [_lane(name, entry, begin, end, shown, first) for name, entry in entries.items()]
    return Preview(lanes, begin.astimezone(shown), end.astimezone(shown), zone)


def described(schedule: object) -> str:
    """Say what a schedule is, in a few signs: ``every 30 s``, or the five fields of a crontab."""
    seconds = seconds_of(schedule)
    if seconds is not None:
        size, unit = next((each for each in UNITS if seconds % each[0] == 0), (1, "s"))
        return texts.EVERY.format(n=f"{seconds / size:g}", unit=unit)
    if all(hasattr(schedule, f"_orig_{field}") for field in CRONTAB):
        return " ".join(_field(getattr(schedule, f"_orig_{field}")) for field in CRONTAB)
    return getattr(schedule, "event", None) or type(schedule).__name__


def said(moment: datetime, *, year: bool = False, offset: bool = False) -> str:
    """Say a moment, in words that are the same in every locale."""
    day = f"{texts.WEEKDAYS[moment.weekday()]} {moment.day} {texts.MONTHS[moment.month - 1]}"
    return " ".join([day, *([f"{moment:%Y}"] if year else []), _clock(moment, offset)])


def in_words(moments: Iterable[datetime], start: datetime, end: datetime) -> str:
    """Say moments in one line; a day that was said is not said again."""
    offset = start.utcoffset() != end.utcoffset()  # the clock is changed: the hour alone would not do
    found: list[str] = []
    before = None
    for moment in moments:
        same_day = moment.date() == before
        year = moment.year != start.year
        found.append(_clock(moment, offset) if same_day else said(moment, year=year, offset=offset))
        before = moment.date()
    return ", ".join(found) or texts.NEVER


def _clock(moment: datetime, offset: bool) -> str:
    text = f"{moment:%H:%M:%S}.{moment.microsecond:06}".rstrip("0").rstrip(".")
    text = f"{moment:%H:%M}" if not (moment.second or moment.microsecond) else text
    return f"{text} {moment:%z}" if offset else text


def _lane(
    name: str, entry: Mapping[str, Any], start: datetime, end: datetime, shown: tzinfo, first: int
) -> Lane:
    if not isinstance(entry, Mapping) or "schedule" not in entry:
        raise LabError(texts.ENTRY_WITHOUT.format(name=name))
    schedule, relative = entry["schedule"], bool(entry.get("relative"))
    try:
        within = runs(schedule, start, end, relative=relative)
        ahead = within[:first] if len(within) >= first else islice(upcoming(schedule, start, relative), first)
        return Lane(
            name,
            described(schedule),
            [moment.astimezone(shown) for moment in within],
            [moment.astimezone(shown) for moment in ahead],
        )
    except Exception as problem:
        what = problem if isinstance(problem, LabError) else f"{type(problem).__name__}: {problem}"
        raise LabError(texts.ENTRY_FAILED.format(name=name, problem=what)) from problem


def _zone(zone: str | tzinfo) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        near = get_close_matches(zone, available_timezones(), n=3)
        hint = texts.SUCH_AS.format(names=", ".join(near)) if near else ""
        raise LabError(texts.UNKNOWN_ZONE.format(zone=zone, hint=hint)) from None


def _field(given: Any) -> str:
    return str(given) if isinstance(given, str | int) else ",".join(map(str, sorted(given)))
