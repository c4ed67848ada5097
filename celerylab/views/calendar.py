"""The picture of a schedule: a lane an entry, days side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from celerylab.views import texts
from celerylab.views.picture import Canvas, Picture, canvas
from celerylab.views.timeline import united

if TYPE_CHECKING:
    from matplotlib.artist import Artist

    from celerylab.views.preview import Lane, Preview

LANE_HEIGHT = 0.42  # inches
MARK = 0.62  # of a lane
CLOSE = 1 / 180  # of the axis: marks that are closer together are drawn as one band
ROOM = 0.075  # of the axis, that the hour beside a mark takes
DAYS, HOURS = 10, 2  # days up to which each has its label; up to which hours have
DAY = timedelta(days=1)
SATURDAY = 5


def calendar(preview: Preview) -> Picture:
    """Draw a mark for each run, and a band where runs are too close together to be told apart.

    Parameters
    ----------
    preview
        What to draw. Its zone is that of the axis, so a day on which the clock is changed is
        an hour shorter or longer.
    """
    names = ", ".join(lane.name for lane in preview.lanes)
    with canvas(
        texts.CALENDAR.format(title=preview.title, names=names),
        height=1.25 + LANE_HEIGHT * len(preview.lanes),
    ) as drawing:
        axes, end = drawing.axes, _place(preview.end, preview)
        axes.set_xlim(0, end)
        axes.set_ylim(len(preview.lanes) - 0.45, -0.55)
        drawn = {**_weekends(drawing, preview)}
        for row, lane in enumerate(preview.lanes):
            places = [_place(moment, preview) for moment in lane.runs]
            if min((later - place for place, later in pairwise(places)), default=end) < CLOSE * end:
                drawn[texts.MANY_RUNS] = _band(drawing, row, places, end)
            elif places:
                drawn[texts.A_RUN] = _marks(drawing, row, lane, places, end)
        _label_days(drawing, preview)
        axes.set_yticks(range(len(preview.lanes)), [lane.name for lane in preview.lanes])
        axes.tick_params(axis="y", length=0)
        right = axes.secondary_yaxis("right")
        right.set_yticks(range(len(preview.lanes)), [_count(lane) for lane in preview.lanes])
        right.tick_params(length=0)
        right.spines["right"].set_visible(False)
        axes.legend(
            handles=[drawn[label] for label in texts.CALENDAR_LEGEND if label in drawn],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(drawn),
            borderaxespad=0.2,
        )
    return drawing.picture


def midnights(start: datetime, end: datetime) -> Iterator[datetime]:
    """Give the beginnings of the days between two moments, and the start before them."""
    moment = start
    while moment < end:
        yield moment
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + DAY


def _place(moment: datetime, preview: Preview) -> float:
    # in UTC: Python's difference of two times of one zone leaves a change of the clock out
    return (moment.astimezone(UTC) - preview.start.astimezone(UTC)).total_seconds()


def _weekends(drawing: Canvas, preview: Preview) -> dict[str, Artist]:
    drawn: dict[str, Artist] = {}
    beginnings = [*midnights(preview.start, preview.end), preview.end]
    for day, next_day in pairwise(beginnings):
        if day.weekday() >= SATURDAY:
            drawn[texts.WEEKEND] = drawing.axes.axvspan(
                _place(day, preview), _place(next_day, preview),
                facecolor="#f0f0f0", edgecolor="#d0d0d0", hatch="\\\\", linewidth=0, zorder=0,
                label=texts.WEEKEND,
            )  # fmt: skip
    return drawn


def _band(drawing: Canvas, row: int, places: Sequence[float], end: float) -> Artist:
    spans = united([(place, place + 2 * CLOSE * end) for place in places])
    return drawing.axes.broken_barh(
        [(since, min(until, end) - since) for since, until in spans],
        (row - MARK / 2, MARK),
        facecolor=drawing.colour(4), edgecolor="white", hatch="///", linewidth=0.6, label=texts.MANY_RUNS,
    )  # fmt: skip


def _marks(drawing: Canvas, row: int, lane: Lane, places: Sequence[float], end: float) -> Artist:
    from matplotlib.lines import Line2D

    drawing.axes.vlines(
        places, row - MARK / 2, row + MARK / 2,
        color=drawing.colour(0), linewidth=1.6, clip_on=False,
    )  # fmt: skip
    before = [-2 * end, *places[:-1]]
    after = [*places[1:], 2 * end]
    for moment, place, previous, following in zip(lane.runs, places, before, after, strict=True):
        right = min(following, end) - place > ROOM * end
        if right or (place > (1 - ROOM) * end and place - previous > 2 * ROOM * end):
            drawing.axes.annotate(
                f"{moment:%H:%M}", (place, row), xytext=(3 if right else -3, 0), textcoords="offset points",
                ha="left" if right else "right", va="center", fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "boxstyle": "round,pad=0.1"},
            )  # fmt: skip
    return Line2D(
        [], [], color=drawing.colour(0), marker="|", markersize=13, markeredgewidth=1.6, linestyle="none",
        label=texts.A_RUN,
    )  # fmt: skip


def _label_days(drawing: Canvas, preview: Preview) -> None:
    days = list(midnights(preview.start, preview.end))
    length = (preview.end - preview.start) / DAY
    if length <= HOURS:
        step = timedelta(hours=3 if length <= 1 else 6)
        ticks = [each for each in _hours(preview) if each.hour % (step // timedelta(hours=1)) == 0]
        labels = [f"{each:%H:%M}" if each.hour else _day(each) for each in ticks]
    else:
        ticks = days if length <= DAYS else [day for day in days if day.weekday() == 0]
        labels = [_day(each) for each in ticks]
    drawing.axes.set_xticks([_place(each, preview) for each in ticks], labels, ha="left", fontsize=9)
    zone = preview.start.tzinfo
    drawing.axes.set_xlabel(texts.TIME_IN.format(zone=zone, year=preview.start.year))


def _hours(preview: Preview) -> Iterator[datetime]:
    moment = preview.start.replace(minute=0, second=0, microsecond=0)
    while moment <= preview.end:
        if moment >= preview.start:
            yield moment
        moment = (moment.astimezone(UTC) + timedelta(hours=1)).astimezone(preview.start.tzinfo)


def _day(day: datetime) -> str:
    return f"{texts.WEEKDAYS[day.weekday()]}\n{day.day} {texts.MONTHS[day.month - 1]}"


def _count(lane: Lane) -> str:
    return texts.ONE_RUN if len(lane.runs) == 1 else texts.RUNS.format(n=f"{len(lane.runs):,}")
