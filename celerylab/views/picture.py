"""Figures: matplotlib, one style, with a text that says what they show."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("lab.mplstyle")
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "ooo", "+++", "---")


class Picture:
    """A finished figure that shows itself in a notebook.

    Parameters
    ----------
    png
        The figure.
    text
        What it shows, in words that are the same in every run.
    """

    def __init__(self, png: bytes, text: str) -> None:
        self.png = png
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_png_(self) -> bytes:
        return self.png


class Canvas:
    """A figure being drawn; ``picture`` holds the result once the ``with`` block ends."""

    def __init__(self, figure: Figure, axes: Axes, text: str) -> None:
        self.figure = figure
        self.axes = axes
        self.text = text
        self.picture: Picture

    def colour(self, n: int) -> Any:
        """Return the style's n-th colour, from 0, again from the start after the last."""
        import matplotlib as mpl

        colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
        return f"#{colours[n % len(colours)].lstrip('#')}"


@contextmanager
def canvas(text: str, height: float = 3.0, width: float = 8.0) -> Iterator[Canvas]:
    """Give axes to draw on, in the course's style.

    Parameters
    ----------
    text
        What the figure shows, for readers who can't see it; the same in every run.
    height, width
        Inches.
    """
    # late: matplotlib is 30 MiB and 0.3 s that a lesson without a figure need not spend
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context(str(STYLE)):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        drawing = Canvas(figure, figure.add_subplot(), text)
        yield drawing
        png = io.BytesIO()
        figure.savefig(png, format="png")
    drawing.picture = Picture(png.getvalue(), text)
