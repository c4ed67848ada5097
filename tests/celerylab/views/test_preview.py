"""The preview: when Celery's own schedule objects are due, listed and drawn."""

import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import BaseSchedule, crontab, schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from celerylab import Lab
from celerylab.errors import LabError
from celerylab.views.calendar import midnights
from celerylab.views.preview import described, preview
from celerylab.views.upcoming import Clock, runs

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 30, tzinfo=TOKYO)
WEEK = timedelta(days=7)
PNG = b"\x89PNG"

fields = st.fixed_dictionaries(
    {},
    optional={
        "minute": st.sampled_from(["*/15", "0", "30", "5,50", "*/7"]),
        "hour": st.sampled_from(["0", "1", "2", "9-17", "*/5", "23"]),
        "day_of_week": st.sampled_from(["mon-fri", "0", "6", "1,3"]),
        "day_of_month": st.sampled_from(["1", "28-31", "*/2", "15"]),
        "month_of_year": st.sampled_from(["*/3", "11", "2,10"]),
    },
)
schedules = st.one_of(
    fields.map(lambda given: crontab(**{"minute": 0, **given})),
    st.timedeltas(timedelta(minutes=7), timedelta(days=3)),
    st.timedeltas(timedelta(minutes=7), timedelta(days=3)).map(lambda every: schedule(every, relative=True)),
)
zones = st.sampled_from([TOKYO, NEW_YORK, ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe"), UTC])
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))


class EverySecondLook(BaseSchedule):
    """A schedule that somebody wrote: due whenever it is asked for the second time."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def is_due(self, last_run_at: datetime) -> tuple[bool, float | None]:
        self.looks += 1
        return self.looks % 2 == 0, None


class Broken(BaseSchedule):
    def is_due(self, last_run_at: datetime) -> tuple[bool, float]:
        raise RuntimeError("no calendar at hand")


def due(asked: Any, now: datetime, last: datetime) -> bool:
    """Ask a schedule as Beat does, at a moment given."""
    if isinstance(asked, timedelta):
        asked = schedule(asked)
    app = Celery(set_as_current=False)
    app.conf.timezone = now.tzinfo
    asked.app, asked.nowfun = app, Clock(now)
    asked.__dict__.pop("tz", None)
    return asked.is_due(last)[0]


@settings(max_examples=150, deadline=None)
@given(schedules, moments, zones, st.floats(0.01, 0.99))
def test_each_run_is_due_and_nothing_is_due_between(
    asked: Any, begin: datetime, zone: tzinfo, part: float
) -> None:
    start = begin.replace(tzinfo=UTC).astimezone(zone)
    found = runs(asked, start, start + timedelta(days=40))[:12]
    for last, moment in pairwise([start, *found]):
        assert moment.astimezone(UTC) > last.astimezone(UTC)
        assert due(asked, moment, last)
        between = last.astimezone(UTC) + part * (moment.astimezone(UTC) - last.astimezone(UTC))
        assert not due(asked, between.astimezone(zone), last)


@given(st.integers(1, 5_000_000), moments, zones)
@settings(max_examples=40, deadline=None)
def test_interval_worked_out_is_the_interval_asked_for(micro: int, begin: datetime, zone: tzinfo) -> None:
    class Asked(schedule):  # not of Celery's own class, so each run is asked for
        pass

    every = timedelta(microseconds=2 * micro)
    start = begin.replace(tzinfo=zone)
    end = (start.astimezone(UTC) + 9.5 * every).astimezone(zone)
    assert runs(every, start, end) == runs(Asked(every), start, end)
    assert len(runs(every, start, end)) == 9


def test_last_run_long_ago_is_made_up_for_once() -> None:
    last = MONDAY - timedelta(days=3)
    for asked, following in ((crontab(minute=0), 60), (timedelta(hours=1), 60), (3600, 60)):
        found = runs(asked, MONDAY, MONDAY + timedelta(hours=2), last=last)
        assert found[:2] == [MONDAY, MONDAY + timedelta(minutes=following)]
    recent = MONDAY - timedelta(minutes=50)
    assert runs(3600, MONDAY, MONDAY + timedelta(hours=1), last=recent) == [MONDAY + timedelta(minutes=10)]


@pytest.mark.parametrize(
    ("day", "asked", "expected"),
    [
        (date(2026, 3, 8), crontab(minute=30, hour=2), ["03:30 -0400"]),  # 02:30 there is not
        (date(2026, 3, 8), crontab(minute=30, hour="1-3"), ["01:30 -0500", "03:30 -0400"]),
        (date(2026, 11, 1), crontab(minute=30, hour=1), ["01:30 -0400"]),  # there is twice
        (date(2026, 11, 1), crontab(minute=30, hour="0-2"), ["00:30 -0400", "01:30 -0400", "02:30 -0500"]),
        (date(2026, 11, 1), crontab(minute=0, hour=4), ["04:00 -0500"]),
    ],
)
def test_day_on_which_the_clock_is_changed(day: date, asked: crontab, expected: list[str]) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    assert [f"{each:%H:%M %z}" for each in runs(asked, start, start.replace(hour=12))] == expected


def test_interval_goes_on_over_a_change_of_the_clock() -> None:
    start = datetime(2026, 11, 1, tzinfo=NEW_YORK)
    found = runs(timedelta(hours=1), start, start.replace(hour=3))
    assert [f"{each:%H:%M %z}" for each in found] == [
        "01:00 -0400",
        "01:00 -0500",
        "02:00 -0500",
        "03:00 -0500",
    ]


def test_schedule_that_was_given_is_left_as_it_was() -> None:
    app = Celery(set_as_current=False, changes={"timezone": "UTC"})
    asked = crontab(hour=9, minute=0, app=app)
    assert asked.tz is not TOKYO
    assert runs(asked, MONDAY, MONDAY + timedelta(days=1)) == [MONDAY.replace(hour=9)]
    assert (asked.app, asked.nowfun, str(asked.tz)) == (app, None, "UTC")


def test_schedule_of_somebodys_own_is_asked_as_beat_asks_it() -> None:
    found = runs(EverySecondLook(), MONDAY, MONDAY + timedelta(minutes=20))
    assert found == [MONDAY + timedelta(minutes=minutes) for minutes in (5, 15)]


def test_list_is_the_same_for_a_given_start() -> None:
    entries = {
        "nine": {"task": "x", "schedule": crontab(hour=9, minute=0, day_of_week="mon,wed")},
        "often": {"task": "x", "schedule": 2.5},
        "new year": {"task": "x", "schedule": crontab(0, 0, day_of_month=1, month_of_year=1)},
    }
    assert repr(preview(entries, start=MONDAY, timezone=TOKYO, first=2)).splitlines() == [
        "7 days from Mon 30 Nov 2026 00:00 on, Asia/Tokyo",
        "entry     schedule           runs  next",
        "--------  ---------------  ------  ------------------------------------------",
        "nine      0 9 * * mon,wed       2  Mon 30 Nov 09:00, Wed 2 Dec 09:00",
        "often     every 2.5 s      241920  Mon 30 Nov 00:00:02.5, 00:00:05",
        "new year  0 0 1 1 *             0  Fri 1 Jan 2027 00:00, Sat 1 Jan 2028 00:00",
    ]


def test_hours_of_a_dictionary_are_utc_and_shown_by_any_clock() -> None:
    entries = {"nine": {"schedule": crontab(hour=9, minute=0)}}
    made = preview(entries, start=MONDAY, days=1, shown_in="Asia/Tokyo")
    assert repr(made).splitlines()[0] == (
        "1 day from Mon 30 Nov 2026 00:00 on, Asia/Tokyo; the schedule is meant in UTC"
    )
    assert made["nine"] == [MONDAY.replace(hour=18)]
    assert preview(entries, start=MONDAY, timezone="Asia/Tokyo")["nine"][0] == MONDAY.replace(hour=9)


def test_app_brings_its_schedule_and_its_timezone(lab: Lab) -> None:
    app = Celery(set_as_current=False, changes={"timezone": "Asia/Tokyo"})
    app.conf.beat_schedule = {"nine": {"task": "x", "schedule": crontab(hour=9, minute=0)}}
    assert lab.preview(app, start=MONDAY)["nine"][0] == MONDAY.replace(hour=9)


def test_offset_is_said_where_the_clock_is_changed() -> None:
    start = datetime(2026, 10, 31, tzinfo=NEW_YORK)
    made = preview({"half": {"schedule": crontab(minute=30, hour=1)}}, start=start, timezone=NEW_YORK)
    assert "Sat 31 Oct 01:30 -0400, Sun 1 Nov 01:30 -0400, Mon 2 Nov 01:30 -0500" in repr(made)
    days = [f"{day:%d %z}" for day in midnights(made.start, made.end)]
    assert days[:3] == ["31 -0400", "01 -0400", "02 -0500"]
    assert len(days) == 7


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (30, "every 30 s"),
        (0.5, "every 0.5 s"),
        (timedelta(minutes=90), "every 90 min"),
        (schedule(7200), "every 2 h"),
        (timedelta(days=2), "every 2 d"),
        (crontab(minute={30, 0}, hour=[9, 12]), "0,30 9,12 * * *"),
        (EverySecondLook(), "EverySecondLook"),
    ],
)
def test_schedule_in_words(asked: object, words: str) -> None:
    assert described(asked) == words


@pytest.mark.parametrize(
    ("entries", "options", "message"),
    [
        ({}, {}, "The schedule is empty"),
        ([1], {}, "takes a beat_schedule, a dictionary of entries, or an app, not list"),
        ({"a": {"task": "x"}}, {}, "Entry 'a' has no 'schedule'"),
        ({"a": crontab()}, {}, "Entry 'a' has no 'schedule'"),
        ({"a": {"schedule": "0 9 * * *"}}, {}, "Entry 'a': '0 9 \\* \\* \\*' is a str, and no schedule"),
        ({"a": {"schedule": None}}, {}, "Entry 'a': None is a NoneType"),
        ({"a": {"schedule": 0}}, {}, "Entry 'a': An interval of 0 s is none"),
        ({"a": {"schedule": timedelta(seconds=-5)}}, {}, "An interval of -5 s is none"),
        ({"a": {"schedule": float("nan")}}, {}, "An interval of nan s is none"),
        ({"a": {"schedule": 0.001}}, {}, "Entry 'a': More than 1,000,000 runs"),
        ({"a": {"schedule": Broken()}}, {}, "Entry 'a': RuntimeError: no calendar at hand"),
        ({"a": {"schedule": 9}}, {"start": datetime(2026, 11, 30, 9)}, "2026-11-30 09:00:00 has no timezone"),
        ({"a": {"schedule": 9}}, {"timezone": "Asia/Tokio"}, "no timezone 'Asia/Tokio'. Near it: Asia/Tokyo"),
        ({"a": {"schedule": 9}}, {"shown_in": "../etc"}, "There is no timezone '../etc'"),
        ({"a": {"schedule": 9}}, {"days": 0}, "days is 0; a preview shows more than 0 and at most 366"),
        ({"a": {"schedule": 9}}, {"days": 1e9}, "days is 1000000000.0"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(entries: Any, options: Any, message: str) -> None:
    with pytest.raises(LabError, match=message):
        preview(entries, **{"start": MONDAY, **options})


def test_entry_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(LabError, match=r"no entry 'b'. Entries: a\."):
        preview({"a": {"schedule": 60}}, start=MONDAY)["b"]


def test_schedule_that_is_never_due_comes_to_an_end() -> None:
    class Never(BaseSchedule):
        def is_due(self, last_run_at: datetime) -> tuple[bool, float]:
            return False, 1.0

    assert repr(preview({"a": {"schedule": Never()}}, start=MONDAY)).endswith("0  never")


@pytest.mark.parametrize("days", [0.1, 1, 2, 7, 31, 366])
def test_picture_names_the_entries_whatever_its_length(days: float) -> None:
    entries = {"daily": {"schedule": crontab(0, 9)}, "often": {"schedule": 600}, "never": {"schedule": 1e9}}
    picture = preview(entries, start=MONDAY.replace(hour=7), days=days, timezone=TOKYO).timeline()
    assert repr(picture).startswith("Runs of daily, often, never. ")
    assert picture.png.startswith(PNG)


def test_week_of_an_entry_every_30_seconds_takes_less_than_a_second() -> None:
    began = time.process_time()
    assert len(preview({"a": {"schedule": 30.0}}, start=MONDAY)["a"]) == 20_160
    assert time.process_time() - began < 1
