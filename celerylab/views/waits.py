"""Who waits for what: the users of a site, and the workers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from celerylab.views import texts
from celerylab.views.picture import HATCHES, Canvas, Picture, canvas
from celerylab.views.timeline import BAR, LANE_HEIGHT, NOWHERE, lanes

if TYPE_CHECKING:
    from celerylab.views.watch import Watch

INSIDE = 0.2  # of the axis' width: a longer bar has its label inside


def waits(seen: Watch, users: Mapping[str, float]) -> Picture:
    """Draw how long users waited, above what ran in workers meanwhile, on one axis of time.

    Parameters
    ----------
    seen
        A ``lab.watch()`` whose block began with the request of the last user.
    users
        Seconds that each user waited for the site's answer, by what is written beside it.
    """
    from matplotlib.patches import Patch

    runs = [run for run in seen if run.started and run.finished]
    placed = lanes(runs)
    order = sorted(set(placed) - {NOWHERE})
    names = [
        *users,
        *(texts.LANE_PROCESS.format(node=node, n=number) for node, number in order),
    ]
    end = max([*users.values(), *(run.finished - seen.began for run in runs if run.finished)], default=1.0)
    with canvas(texts.WAITS.format(users=", ".join(users)), height=1.2 + LANE_HEIGHT * len(names)) as drawing:
        axes = drawing.axes
        axes.set_xlim(0, end * 1.02)
        axes.set_ylim(len(names) - 0.4, -0.6)
        for row, waited in enumerate(users.values()):
            _bar(drawing, row, 0.0, waited, 0)
            _say(drawing, row, waited, end)
        looks: dict[str, int] = {}
        for run, lane in zip(runs, placed, strict=True):
            assert run.started is not None
            assert run.finished is not None
            look = looks.setdefault(run.task, len(looks) + 1)
            row = len(users) + order.index(lane)
            _bar(drawing, row, run.started - seen.began, run.finished - run.started, look)
        axes.axhline(len(users) - 0.5, color="#555555", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(texts.SECONDS_SINCE_FORM)
        labels = [texts.USER_WAITS, *(task.rpartition(".")[2] for task in looks)]
        axes.legend(
            handles=[
                Patch(label=label, edgecolor="white", **_look(drawing, n)) for n, label in enumerate(labels)
            ],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=4,
            borderaxespad=0.2,
            columnspacing=1.2,
            fontsize="small",
        )
    return drawing.picture


def _bar(drawing: Canvas, row: int, left: float, width: float, look: int) -> None:
    drawing.axes.barh(
        row, width, left=left, height=BAR, edgecolor="white", linewidth=0.6, **_look(drawing, look)
    )


def _look(drawing: Canvas, number: int) -> dict[str, Any]:
    return {"facecolor": drawing.colour(number), "hatch": HATCHES[number % len(HATCHES)]}


def _say(drawing: Canvas, row: int, waited: float, end: float) -> None:
    inside = waited > INSIDE * end
    drawing.axes.text(
        waited / 2 if inside else waited + 0.01 * end, row, texts.USER_WAITED.format(seconds=waited),
        ha="center" if inside else "left", va="center", fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.15"},
    )  # fmt: skip
