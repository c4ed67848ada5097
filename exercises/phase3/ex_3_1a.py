"""Exercise 3-1a: write a shop's schedule, judged by its next runs."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celerylab.errors import LabError
from celerylab.views.preview import said
from celerylab.views.upcoming import runs
from exercises import Outcome, learners_code, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Write the shop's schedule"

TEXT = """
The shop is in Tokyo. Replace each `...` in `tasks_3_1a.py`, so that the entries are due as follows,
by the clock in Tokyo:

- `stock`: Monday to Friday, every 15 minutes of the opening hours; the first time of a day is 09:00, the
  last 17:45;
- `order`: at 08:30 on the first Monday of each month;
- `prices`: every 40 minutes, day and night, counted from the last time.

`check` starts no Beat. It asks your app's schedule for every run in the 70 days that begin on Monday,
30 November 2026, at 08:10 in Tokyo, and compares them with those that the shop wants.
"""

HINTS = [
    "Look at yours: `from tasks_3_1a import app`, then `lab.preview(app, start=..., first=40)`.",
    "A crontab's field takes a range, `9-17`. It holds 17:00 and all that comes before 18:00.",
    "The first Monday of a month is one of its first seven days. Celery joins two day fields by *and*.",
    "40 does not divide 60. Which kind of schedule counts from the last time?",
]

FEEDBACK = {
    "right": "Three entries, and {n:,} runs in 70 days, each when the shop wants it.",
    "no_schedule": (
        "`tasks_3_1a.py` should hold an `app` whose `beat_schedule` has {name!r}. It has: {names}."
    ),
    "no_timezone": (
        "The hours of your schedule are hours in {zone}. Your first `stock` comes at {found} by the clock in "
        "Tokyo. Which setting says whose clock is meant?"
    ),
    "not_a_schedule": "`{name}` cannot be asked for its runs. {problem}",
    "missing": "`{name}`: the shop wants a run at {moment}. Yours come at {around}.",
    "too_many": "`{name}`: a run at {moment} that the shop does not want. It wants them at {around}.",
}

MODULE = """%%writefile tasks_3_1a.py
import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_1a", broker=url, backend=url)
app.conf.timezone = "Asia/Tokyo"
app.conf.beat_schedule = {
    "stock": {"task": "tasks_3_1a.count_stock", "schedule": STOCK},
    "order": {"task": "tasks_3_1a.order_goods", "schedule": ORDER},
    "prices": {"task": "tasks_3_1a.fetch_prices", "schedule": PRICES},
}
"""

STOCK = 'crontab(minute="*/15", hour="9-17", day_of_week="mon-fri")'
ORDER = 'crontab(hour=8, minute=30, day_of_week="mon", day_of_month="1-7")'
PRICES = "timedelta(minutes=40)"


def _module(stock: str = STOCK, order: str = ORDER, prices: str = PRICES) -> str:
    return MODULE.replace("STOCK", stock).replace("ORDER", order).replace("PRICES", prices)


SOLUTION = _module()

WRONG = {
    "no_timezone": [
        SOLUTION.replace('app.conf.timezone = "Asia/Tokyo"\n', ""),
        SOLUTION.replace("app.conf.timezone", "app.conf.time_zone"),
    ],
    "too_many": [
        _module(stock=STOCK.replace("9-17", "9-18")),
        _module(stock=STOCK.replace(', day_of_week="mon-fri"', "")),
        _module(order=ORDER.replace("hour=8, minute=30", 'hour=8, minute="30-59"')),
        _module(order=ORDER.replace(', day_of_month="1-7"', "")),
        _module(stock="timedelta(minutes=15)"),
        _module(prices='crontab(minute="*/40")'),
        _module(prices="40"),
    ],
    "missing": [
        _module(stock=STOCK.replace("9-17", "9-16")),
        _module(order=ORDER.replace("1-7", "1")),
    ],
    "no_schedule": SOLUTION.replace('"order":', '"orders":'),
    "not_a_schedule": [_module(order='"30 8 1-7 * mon"'), _module(prices='"40m"')],
    "raised": _module(stock=STOCK.replace("9-17", "9-24")),
}

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 11, 30, 8, 10, tzinfo=TOKYO)
END = START + timedelta(days=70)
NAMES = ("stock", "order", "prices")
NEAR = 3  # runs that a message shows


def check(answer: str) -> Outcome:
    """Compare the runs of each entry, moment by moment."""
    if unfinished(answer):
        return not_attempted()
    app = getattr(fresh(answer), "app", None)
    with learners_code():
        entries = app.conf.beat_schedule if app else {}
        zone = app.timezone if app else TOKYO
    found: dict[str, list[datetime]] = {}
    for name in NAMES:
        if name not in entries:
            return not_right("no_schedule", name=name, names=", ".join(entries) or "none")
        try:
            with learners_code():
                found[name] = _runs(entries[name], zone)
        except LabError as problem:
            return not_right("not_a_schedule", name=name, problem=problem)
    offset = START.astimezone(zone).utcoffset()
    if offset != START.utcoffset():
        first = said(found["stock"][0]) if found["stock"] else "no time"
        return not_right("no_timezone", zone=zone, found=first)
    wanted = _wanted()
    for name in NAMES:
        if moment := next(iter(sorted(set(found[name]) ^ set(wanted[name]))), None):
            key, other = ("missing", found) if moment in set(wanted[name]) else ("too_many", wanted)
            return not_right(key, name=name, moment=said(moment), around=_around(other[name], moment))
    return right(n=sum(len(each) for each in found.values()))


def _runs(entry: dict[str, Any], zone: Any) -> list[datetime]:
    return [each.astimezone(TOKYO) for each in runs(entry["schedule"], START.astimezone(zone), END)]


def _wanted() -> dict[str, list[datetime]]:
    quarters = [START.replace(minute=0) + n * timedelta(minutes=15) for n in range(70 * 24 * 4 + 1)]
    weekdays = [each for each in quarters if START < each <= END and each.weekday() < 5]
    return {
        "stock": [each for each in weekdays if 9 <= each.hour < 18],
        "order": [
            each
            for each in weekdays
            if (each.weekday(), each.hour, each.minute) == (0, 8, 30) and each.day < 8
        ],
        "prices": [START + n * timedelta(minutes=40) for n in range(1, 70 * 36 + 1)],
    }


def _around(moments: list[datetime], moment: datetime) -> str:
    """Say the runs nearest to a moment, in their order."""
    near = sorted(sorted(moments, key=lambda each: abs(each - moment))[:NEAR])
    return ", ".join(said(each) for each in near) or "no time at all"
