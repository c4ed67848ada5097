"""``lab.draw()``: a canvas as a picture, with states, durations and results if it ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from celerylab.views import texts
from celerylab.views.flow import (
    Flow,
    Folded,
    Outcome,
    Parallel,
    Series,
    Step,
    fold,
    from_result,
    from_signature,
    steps,
)
from celerylab.views.picture import Canvas, Picture, canvas

if TYPE_CHECKING:
    from celery.canvas import Signature
    from celery.result import ResultBase
    from matplotlib.axes import Axes

    from celerylab.views.outcomes import Outcomes

WIDTH = 8.0  # inches
COLUMN = 1.85  # inches at most
ROW = 0.5  # inches, and more for each line below the arguments
LINE = 0.19  # inches
FRAME = 0.4  # of a row, above a group, for what it says
PAD = 0.12  # of a row, below a group
INSET = 0.05  # of a column, between the frames of groups in groups
BOX = 0.76  # of a column
FOLDED = 0.56  # of a column
JOIN = 0.45  # of a column
COLUMNS, HEIGHT = 6, 5.2  # fold until there are no more columns, and no more inches
LIMITS = ((6, 8), (5, 6), (4, 5), (4, 4), (3, 4), (3, 3))
BIG, READABLE, SMALL = 9.5, 7.5, 6.0  # pt
LETTER, BOLD = 0.0083, 0.0095  # inches that a letter takes for each pt

ROUND = "round,pad=0,rounding_size=0.06"
INK, QUIET = "#1a1a1a", "#666666"
# colour, line style, and line width: a state can be told without its colour
LOOKS = {
    "SUCCESS": ("#009E73", "-", 1.6),
    "FAILURE": ("#D55E00", "-", 3.0),
    "PENDING": ("#888888", (0, (2, 2)), 1.2),
    "": ("#0072B2", "-", 1.6),
}
OTHER = ("#E69F00", (0, (5, 2)), 1.8)

Point = tuple[float, float]


def draw(canvas: Signature | ResultBase, known: Outcomes) -> Picture:
    """Draw a signature, or what became of one.

    Parameters
    ----------
    canvas
        A signature, or a result.
    known
        What is known of the tasks behind a result.

    Raises
    ------
    LabError
        It is neither.
    """
    from celery.result import ResultBase

    if isinstance(canvas, ResultBase):
        known.settle(canvas)
        return draw_flow(from_result(canvas, known.call, known.of))
    return draw_flow(from_signature(canvas))


def draw_flow(flow: Flow) -> Picture:
    """Draw a canvas: what comes after stands to the right, what runs at the same time below.

    Parameters
    ----------
    flow
        The canvas; wide groups and long chains are folded until they fit the notebook's width.

    Returns
    -------
    Picture
        Its text is the folded canvas on one line, with states, without times and results.
    """
    folded = flow
    lines = max((len(_lines(step)) for step in steps(flow)), default=2)
    row = ROW + LINE * max(0, lines - 1)
    for long, wide in LIMITS:
        columns, rows = _size(folded)
        if columns <= COLUMNS and rows * row <= HEIGHT:
            break
        folded = fold(flow, long, wide)
    columns, rows = _size(folded)
    column = min(max(COLUMN, _longest(folded) * READABLE / (BOX - 0.06)), WIDTH / columns)
    with canvas(str(folded), height=row * rows + 0.1, width=column * columns) as drawing:
        axes = drawing.axes
        axes.set_axis_off()
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        font = max(SMALL, min(BIG, column * (BOX - 0.06) / _longest(folded)))
        _Drawing(drawing, font, column).put(folded, 0.0, 0.0, columns, rows)
    return drawing.picture


def _size(flow: Flow) -> tuple[float, float]:
    """Return how many columns and rows a canvas takes."""
    if isinstance(flow, Step | Folded):
        return 1.0, 1.0
    sizes = [_size(part) for part in flow.parts] or [(1.0, 0.3)]
    widths, heights = zip(*sizes, strict=True)
    if isinstance(flow, Series):
        joins = sum(_joined(part) for part in flow.parts[:-1])
        return sum(widths) + JOIN * joins, max(heights)
    return max(widths) + 2 * INSET, sum(heights) + FRAME + PAD


def _joined(flow: Flow) -> bool:
    """Say whether what follows waits for several."""
    last = flow.parts[-1] if isinstance(flow, Series) else flow
    return isinstance(last, Parallel)


def _lines(step: Step) -> list[str]:
    """Return what stands in a step's box below the task's name."""
    lines = [f"({step.arguments})"]
    if step.outcome:
        ran = texts.RAN.format(seconds=step.outcome.ran) if step.outcome.ran is not None else ""
        lines.append(f"{step.outcome.state}  {ran}".strip())
        if step.outcome.result:
            lines.append(step.outcome.result)
    return lines


def _longest(flow: Flow) -> float:
    """Return the inches that the longest line takes for each pt."""
    names = [len(step.call.name) * BOLD for step in steps(flow)]
    lines = [len(line) * LETTER for step in steps(flow) for line in _lines(step)]
    return max([*names, *lines, LETTER])


class _Drawing:
    """Puts parts of a canvas into boxes of its axes, and joins them by arrows."""

    def __init__(self, drawing: Canvas, font: float, column: float) -> None:
        self.axes: Axes = drawing.axes
        self.font = font
        self.room = column * (BOX - 0.04) / font  # inches for each pt

    def put(
        self, flow: Flow, left: float, top: float, width: float, height: float
    ) -> tuple[list[Point], list[Point]]:
        """Draw a part in the middle of a box; return where arrows end, and where they begin."""
        own_width, own_height = _size(flow)
        if isinstance(flow, Step):
            return self._step(flow, left + width / 2, top + height / 2)
        if isinstance(flow, Folded):
            return self._folded(flow, left + width / 2, top + height / 2)
        top += (height - own_height) / 2
        if isinstance(flow, Series):
            return self._series(flow, left + (width - own_width) / 2, top, own_height)
        return self._parallel(flow, left, top, width)

    def _series(
        self, flow: Series, left: float, top: float, height: float
    ) -> tuple[list[Point], list[Point]]:
        begin: list[Point] = []
        ends: list[Point] = []
        for n, part in enumerate(flow.parts):
            width = _size(part)[0]
            entries, exits = self.put(part, left, top, width, height)
            for end in ends:
                for entry in entries:
                    self._arrow(end, entry)
            begin = begin or entries
            ends = exits
            left += width
            if _joined(part) and n < len(flow.parts) - 1:
                ends = self._join(exits, left, top + height / 2, _wide(part))
                left += JOIN
        return begin, ends

    def _parallel(
        self, flow: Parallel, left: float, top: float, width: float
    ) -> tuple[list[Point], list[Point]]:
        from matplotlib.patches import FancyBboxPatch

        height = _size(flow)[1]
        frame = FancyBboxPatch(
            (left + INSET, top + 0.04), width - 2 * INSET, height - 0.08, boxstyle=ROUND,
            facecolor="#f2f6fa", edgecolor="#9db8cf", linewidth=0.8, linestyle="--", zorder=0,
        )  # fmt: skip
        self.axes.add_patch(frame)
        text = texts.GROUP_OF.format(n=flow.n)
        self.axes.text(left + 0.11, top + 0.24, text, fontsize=self._small, color=QUIET, va="center")
        top += FRAME
        entries: list[Point] = []
        exits: list[Point] = []
        for part in flow.parts:
            rows = _size(part)[1]
            ins, outs = self.put(part, left + INSET, top, width - 2 * INSET, rows)
            entries += ins
            exits += outs
            top += rows
        return entries, exits

    def _step(self, step: Step, x: float, y: float) -> tuple[list[Point], list[Point]]:
        from matplotlib.patches import FancyBboxPatch

        look = _look(step.outcome)
        lines = _lines(step)
        box = FancyBboxPatch(
            (x - BOX / 2, y - 0.38), BOX, 0.76, boxstyle=ROUND,
            facecolor="white", edgecolor=look[0], linestyle=look[1], linewidth=look[2], zorder=2,
        )  # fmt: skip
        self.axes.add_patch(box)
        spots = _spots(y, len(lines) + 1)
        self.axes.text(
            x, spots[0], _cut(step.call.name, self.room / BOLD), ha="center", va="center",
            fontsize=self.font, color=INK, weight="bold", zorder=3,
        )  # fmt: skip
        for spot, line in zip(spots[1:], lines, strict=True):
            shown = _cut(line, self.room / LETTER)
            self.axes.text(x, spot, shown, ha="center", va="center", fontsize=self.font, color=INK, zorder=3)
        return [(x - BOX / 2, y)], [(x + BOX / 2, y)]

    def _folded(self, folded: Folded, x: float, y: float) -> tuple[list[Point], list[Point]]:
        from matplotlib.patches import FancyBboxPatch

        lines = [
            texts.MORE.format(n=folded.n),
            *(f"{n} {state}" for state, n in sorted(folded.states.items())),
        ]
        high = 0.26 + 0.16 * len(lines)
        box = FancyBboxPatch(
            (x - FOLDED / 2, y - high / 2), FOLDED, high, boxstyle=ROUND,
            facecolor="#eeeeee", edgecolor=QUIET, linestyle=":", linewidth=1.2, zorder=2,
        )  # fmt: skip
        self.axes.add_patch(box)
        self.axes.text(
            x, y, "\n".join(lines), ha="center", va="center", fontsize=self._small, color=INK, zorder=3,
            linespacing=1.1,
        )  # fmt: skip
        return [(x - FOLDED / 2, y)], [(x + FOLDED / 2, y)]

    def _join(self, ends: Sequence[Point], left: float, y: float, n: int) -> list[Point]:
        from matplotlib.patches import Rectangle

        x = left + JOIN * 0.45
        for end in ends:
            self._arrow(end, (x, end[1]), head=False)
        ys = [end[1] for end in ends]
        low, high = min([*ys, y]) - 0.12, max([*ys, y]) + 0.12
        self.axes.add_patch(Rectangle((x - 0.025, low), 0.05, high - low, facecolor=INK, zorder=2))
        text = texts.JOIN.format(n=n)
        self.axes.text(x, low - 0.06, text, ha="center", va="bottom", fontsize=self._small, color=QUIET)
        return [(x + 0.025, y)]

    def _arrow(self, begin: Point, end: Point, *, head: bool = True) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        middle = (begin[0] + end[0]) / 2
        curve = Path(
            [begin, (middle, begin[1]), (middle, end[1]), end],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        style = "-|>,head_length=4,head_width=2" if head else "-"
        self.axes.add_patch(FancyArrowPatch(path=curve, arrowstyle=style, color=INK, linewidth=1.0, zorder=1))

    @property
    def _small(self) -> float:
        return max(SMALL, self.font * 0.88)


def _wide(flow: Flow) -> int:
    last = flow.parts[-1] if isinstance(flow, Series) else flow
    assert isinstance(last, Parallel)
    return last.n


def _cut(line: str, letters: float) -> str:
    """Return what a box has room for."""
    return line if len(line) <= letters else line[: int(letters) - 1] + "…"


def _spots(y: float, n: int) -> list[float]:
    """Return the heights of ``n`` lines in the box of a step."""
    step = 0.68 / n
    return [y + step * (k - (n - 1) / 2) for k in range(n)]


def _look(outcome: Outcome | None) -> tuple[str, object, float]:
    return LOOKS.get(outcome.state if outcome else "", OTHER)
