"""Bars: a few measures of a few things, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from celerylab.views import texts
from celerylab.views.picture import HATCHES, Canvas, Picture, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR_HEIGHT = 0.42  # inches
BAR = 0.64  # of the space between two bars
ROOM = 1.22  # of the longest bar: for the number behind it


def bars(measures: Mapping[str, Mapping[str, float]]) -> Picture:
    """Draw each measure as a panel with a bar for each thing measured.

    Parameters
    ----------
    measures
        By the measure's title with its unit, such as ``"memory (MiB)"``: values by what was
        measured. Every measure has the same things.

    Returns
    -------
    Picture
        Its text names measures and things, not the values, which differ from run to run.
    """
    names = list(dict.fromkeys(name for values in measures.values() for name in values))
    text = texts.BARS.format(measures=texts.AND.join(measures), names=", ".join(names))
    with canvas(text, height=0.9 + BAR_HEIGHT * len(names)) as drawing:
        drawing.axes.remove()
        panels = drawing.figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for number, (axes, (title, values)) in enumerate(zip(panels, measures.items(), strict=True)):
            _draw_panel(drawing, axes, number, title, [values.get(name, 0.0) for name in names])
        panels[0].set_yticks(range(len(names)), names)
        panels[0].invert_yaxis()
    return drawing.picture


def _draw_panel(drawing: Canvas, axes: Axes, number: int, title: str, values: list[float]) -> None:
    drawn = axes.barh(
        range(len(values)), values, BAR,
        color=drawing.colour(number), hatch=HATCHES[number % len(HATCHES)], edgecolor="white", linewidth=0.6,
    )  # fmt: skip
    axes.bar_label(drawn, [f"{value:.3g}" for value in values], padding=4)
    axes.set_xlim(0, ROOM * max(values, default=0.0) or 1.0)
    axes.set_title(title, loc="left")
