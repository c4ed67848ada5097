"""Who waits for what: the users of a site, and the workers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
    runs = [run for run in seen if run.started and run.finished]
    placed = lanes(runs)
    order = sorted(set(placed) - {NOWHERE})
    names = [
        *users,
        *(texts.LANE_PROCESS.format(node=node, n=number) for node, number in order),
    ]
    end = max([*users.values(), *(run.finished - seen.began for run in runs if run.finished)], default=1.0)
    with canvas(texts.WAITS.format(users=", ".join(users)), height=1.0 + LANE_HEIGHT * len(names)) as drawing:
        axes = drawing.axes
        axes.set_xlim(0, end * 1.02)
        axes.set_ylim(len(names) - 0.4, -0.6)
        for row, waited in enumerate(users.values()):
            _bar(drawing, row, 0.0, waited, texts.USER_WAITED.format(seconds=waited), 0, end)
        for run, lane in zip(runs, placed, strict=True):
            assert run.started is not None
            assert run.finished is not None
            left, width = run.started - seen.began, run.finished - run.started
            label = run.task.rpartition(".")[2]
            _bar(drawing, len(users) + order.index(lane), left, width, label, 1, end)
        axes.axhline(len(users) - 0.5, color="#555555", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(texts.SECONDS_SINCE_FORM)
    return drawing.picture


def _bar(drawing: Canvas, row: int, left: float, width: float, label: str, look: int, end: float) -> None:
    drawing.axes.barh(
        row, width, left=left, height=BAR, color=drawing.colour(look), hatch=HATCHES[look],
        edgecolor="white", linewidth=0.6,
    )  # fmt: skip
    inside = width > INSIDE * end
    drawing.axes.text(
        left + (width / 2 if inside else width + 0.01 * end), row, label,
        ha="center" if inside else "left", va="center", fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.15"},
    )  # fmt: skip
