"""The timeline: which process ran which task, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from celerylab.views import texts
from celerylab.views.picture import HATCHES, Canvas, Picture, canvas
from celerylab.views.runs import Run

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

LANE_HEIGHT = 0.45  # inches
BAR = 0.64  # of a lane
WAIT = 0.42  # of a lane, below its middle
LEGEND, KEY = 84, 7  # letters that a legend has room for in a row, and that each key takes
NARROW = 0.004  # of the axis' width: a bar that has no room for a hatch
LETTER = 0.011  # of the axis' width, that a letter of a bar's label takes

Lane = tuple[str, int]
NOWHERE: Lane = ("", 0)


def timeline(runs: Sequence[Run]) -> Picture:
    """Draw runs as bars in lanes; a dotted line before a bar is the time that it waited.

    Parameters
    ----------
    runs
        Of any number of tasks; a run that no worker took gets a lane of its own kind.

    Returns
    -------
    Picture
        Its text says how many tasks ran in how many lanes.
    """
    placed = lanes(runs)
    order = sorted(set(placed), key=lambda lane: (lane == NOWHERE, lane))
    rows = {lane: row for row, lane in enumerate(order)}
    text = texts.TIMELINE.format(
        tasks=_count(len({run.id for run in runs}), texts.ONE_TASK, texts.TASKS),
        lanes=_count(sum(lane != NOWHERE for lane in order), texts.ONE_LANE, texts.LANES),
    )
    start = min((_begin(run) for run in runs), default=0.0)
    times = [time for run in runs for time in (_begin(run), run.started, run.finished) if time]
    end = max(times, default=1.0)
    with canvas(text, height=1.2 + LANE_HEIGHT * max(len(order), 1)) as drawing:
        axes = drawing.axes
        axes.set_xlim(0, max((end - start) * 1.02, 0.01))
        axes.set_ylim(max(len(order), 1) - 0.4, -0.6)
        waits = _draw_waits(axes, runs, placed, rows, start, end)
        bars = _draw_bars(drawing, runs, placed, rows, start, end)
        axes.set_yticks(range(len(order)), [_lane_name(lane, order, runs) for lane in order])
        axes.set_xlabel(texts.SECONDS_SINCE_FIRST)
        axes.legend(
            handles=[*bars, waits],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=columns([bar.get_label() for bar in bars]),
            borderaxespad=0.2,
            handlelength=2.5,
        )
    return drawing.picture


def columns(labels: Sequence[object]) -> int:
    """Return how many entries of a legend stand side by side: a wider one would squeeze the axes."""
    longest = max((len(str(label)) for label in labels), default=0)
    return max(1, int(LEGEND / (KEY + longest)))


def lanes(runs: Sequence[Run]) -> list[Lane]:
    """Give each run a lane: a node name, and a number from 1 within the node.

    A process is a lane. Threads share one process, so runs that overlap there are put
    into as many lanes as it takes.
    """
    slots: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    found: dict[int, tuple[str, int | None, int]] = {}
    for index, run in sorted(enumerate(runs), key=lambda item: item[1].started or 0.0):
        if run.started is None:
            continue
        ends = slots[run.worker, run.process]
        slot = next((i for i, end in enumerate(ends) if end <= run.started), len(ends))
        ends[slot : slot + 1] = [run.finished or float("inf")]
        found[index] = (run.worker, run.process, slot)
    numbers: dict[str, dict[tuple[str, int | None, int], int]] = defaultdict(dict)
    for key in sorted(found.values(), key=lambda key: (key[0], key[1] or 0, key[2])):
        numbers[key[0]].setdefault(key, len(numbers[key[0]]) + 1)
    return [
        (found[index][0], numbers[found[index][0]][found[index]]) if index in found else NOWHERE
        for index in range(len(runs))
    ]


def _begin(run: Run) -> float:
    return next(time for time in (run.sent, run.received, run.started, run.finished, 0.0) if time is not None)


def _draw_waits(
    axes: Axes, runs: Sequence[Run], placed: Sequence[Lane], rows: dict[Lane, int], start: float, end: float
) -> Artist:
    from matplotlib.collections import LineCollection

    waits: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for run, lane in zip(runs, placed, strict=True):
        waits[rows[lane]].append((_begin(run) - start, (run.started or end) - start))
    # under the bar, where the bars of earlier tasks do not hide it
    segments = [
        [(since, row + WAIT), (until, row + WAIT)] for row in waits for since, until in united(waits[row])
    ]
    lines = LineCollection(segments, colors="#555555", linewidths=1.2, linestyles=":", label=texts.WAITING)
    axes.add_collection(lines)
    return lines


def united(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return spans of time in order, those that touch or overlap as one: drawn, they look the same."""
    found: list[tuple[float, float]] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((since, until))
    return found


def _draw_bars(
    drawing: Canvas,
    runs: Sequence[Run],
    placed: Sequence[Lane],
    rows: dict[Lane, int],
    start: float,
    end: float,
) -> list[Artist]:
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    bars: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for run, lane in zip(runs, placed, strict=True):
        if run.started is None:
            continue
        left, width = run.started - start, (run.finished or end) - run.started
        bars[run.task].append((rows[lane], left, width))
        label = run.args.strip("()").rstrip(",")
        if width > LETTER * (len(label) + 2) * (end - start):
            drawing.axes.text(
                left + width / 2, rows[lane], label, ha="center", va="center", fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.15"},
            )  # fmt: skip
    for number, (task, places) in enumerate(bars.items()):
        look = {"facecolor": drawing.colour(number), "hatch": HATCHES[number % len(HATCHES)]}
        wide = [place for place in places if place[2] > NARROW * (end - start)]
        slim = [place for place in places if place[2] <= NARROW * (end - start)]
        drawing.axes.add_collection(PolyCollection(_boxes(wide), edgecolor="white", linewidth=0.6, **look))
        # a white edge would leave nothing of it
        drawing.axes.add_collection(PolyCollection(_boxes(slim), facecolor=look["facecolor"], linewidth=0.3))
        handles.append(Patch(label=task.rpartition(".")[2], edgecolor="white", **look))
    return handles


def _boxes(places: Sequence[tuple[int, float, float]]) -> list[list[tuple[float, float]]]:
    return [
        [
            (left, row - BAR / 2),
            (left + width, row - BAR / 2),
            (left + width, row + BAR / 2),
            (left, row + BAR / 2),
        ]
        for row, left, width in places
    ]


def _lane_name(lane: Lane, order: Sequence[Lane], runs: Sequence[Run]) -> str:
    node, number = lane
    if lane == NOWHERE:
        return texts.LANE_NOWHERE
    lanes_of_node = sum(other == node for other, _ in order)
    processes = {run.process for run in runs if run.worker == node and run.started is not None}
    name = texts.LANE_ONLY if lanes_of_node == 1 else texts.LANE_PROCESS
    if lanes_of_node > len(processes):
        name = texts.LANE_THREAD
    return name.format(node=node, n=number)


def _count(n: int, one: str, many: str) -> str:
    return one if n == 1 else many.format(n=n)
