"""The figure of a dashboard: four panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celerylab.views import texts
from celerylab.views.meter import HALF, MOST, Meter
from celerylab.views.picture import HATCHES, Canvas, Picture, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = ("-", "--", ":", "-.")
MARKS = ("", "", "x")
SHOWN = 6  # queues, and workers, at most
ROOM = 1.55  # of the longest bar: for what is written behind it


def figure(meter: Meter, text: str) -> Picture:
    """Draw what a meter says; ``text`` stands for the figure where it can't be seen."""
    with canvas(text, height=5.0, width=9.0) as drawing:
        drawing.axes.remove()
        (depth, rates), (latency, workers) = drawing.figure.subplots(2, 2)
        _depth(drawing, depth, meter)
        _rates(drawing, rates, meter)
        _latency(drawing, latency, meter)
        _workers(drawing, workers, meter)
    return drawing.picture


def _depth(drawing: Canvas, axes: Axes, meter: Meter) -> None:
    busy = [name for name, seen in meter.depth.items() if any(seen)]
    busy.sort(key=lambda name: -max(meter.depth[name]))
    for number, queue in enumerate(busy[:SHOWN]):
        axes.plot(
            meter.times, meter.depth[queue], LINES[number % len(LINES)],
            color=drawing.colour(number), label=queue, drawstyle="steps-post",
        )  # fmt: skip
    _over_time(axes, meter, texts.DASHBOARD_DEPTH)
    if busy:
        axes.legend(fontsize="small")
    else:
        _say(axes, texts.DASHBOARD_NO_DEPTH)


def _rates(drawing: Canvas, axes: Axes, meter: Meter) -> None:
    ends, found = meter.rates()
    for number, (what, values) in enumerate(found.items()):
        axes.plot(
            [0.0, *ends], [values[0], *values], LINES[number], marker=MARKS[number],
            color=drawing.colour((0, 2, 5)[number]), label=texts.DASHBOARD_RATE[what], drawstyle="steps-pre",
        )  # fmt: skip
    _over_time(axes, meter, texts.DASHBOARD_RATES)
    axes.legend(fontsize="small")


def _latency(drawing: Canvas, axes: Axes, meter: Meter) -> None:
    rows = [(what, percent) for what in texts.DASHBOARD_TIMES for percent in (HALF, MOST)]
    values = [meter.percentile(what, percent) for what, percent in rows]
    for row, ((what, _percent), value) in enumerate(zip(rows, values, strict=True)):
        look = list(texts.DASHBOARD_TIMES).index(what)
        _bar(drawing, axes, row, value or 0.0, look, "" if value is None else f" {value:.3g}")
    names = [
        texts.DASHBOARD_PERCENTILE.format(what=texts.DASHBOARD_TIMES[what], percent=p) for what, p in rows
    ]
    _bars(axes, texts.DASHBOARD_LATENCY, names, [value or 0.0 for value in values])


def _workers(drawing: Canvas, axes: Axes, meter: Meter) -> None:
    found = dict(list(meter.workers().items())[:SHOWN])
    for row, (done, running) in enumerate(found.values()):
        _bar(drawing, axes, row, done, 2, texts.DASHBOARD_WORKER.format(done=done, running=running))
    _bars(axes, texts.DASHBOARD_WORKERS, list(found), [float(done) for done, _running in found.values()])
    if not found:
        _say(axes, texts.DASHBOARD_NOBODY)


def _bar(drawing: Canvas, axes: Axes, row: int, value: float, look: int, label: str) -> None:
    drawn: Any = axes.barh(
        row, value, 0.6, color=drawing.colour(look), hatch=HATCHES[look], edgecolor="white", linewidth=0.6
    )
    axes.bar_label(drawn, [label], fontsize="small")


def _bars(axes: Axes, title: str, names: list[str], values: list[float]) -> None:
    axes.set_title(title, loc="left")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(max(len(names), 2) - 0.4, -0.6)
    axes.set_xlim(0, ROOM * max(values, default=0.0) or 1.0)


def _over_time(axes: Axes, meter: Meter, title: str) -> None:
    axes.set_title(title, loc="left")
    axes.set_xlabel(texts.DASHBOARD_SECONDS)
    axes.set_xlim(0, max(meter.seconds, 1.0))
    axes.set_ylim(bottom=0)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#555555")
