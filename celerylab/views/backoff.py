"""How long tasks waited before each retry, beside how long they may have to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from celerylab.errors import LabError
from celerylab.views import texts
from celerylab.views.picture import Picture, canvas

HEIGHT = 3.2  # inches
SPREAD = 0.24  # of the dots around the number of their retry


def backoff(longest: Sequence[float], attempts: Iterable[Sequence[float]]) -> Picture:
    """Draw the delay before each retry.

    Parameters
    ----------
    longest
        Seconds that may lie before the first, second … retry.
    attempts
        Of each task, when it was tried: seconds, on any clock.

    Returns
    -------
    Picture
        Its text says how long the delays may be, not how long they were, which is chance.

    Raises
    ------
    LabError
        A task was tried more often than ``longest`` has delays.
    """
    tasks = [list(each) for each in attempts]
    most = max((len(each) - 1 for each in tasks), default=0)
    if most > len(longest):
        raise LabError(texts.BACKOFF_TOO_MANY.format(n=most + 1, known=len(longest)))
    counted = texts.ONE_TASK if len(tasks) == 1 else texts.TASKS.format(n=len(tasks))
    text = texts.BACKOFF.format(longest=", ".join(f"{each:g}" for each in longest), tasks=counted)
    with canvas(text, height=HEIGHT, width=6.8) as drawing:
        axes = drawing.axes
        numbers = range(1, len(longest) + 1)
        axes.plot(
            numbers, longest, marker="_", markersize=22, color=drawing.colour(1), label=texts.BACKOFF_LONGEST
        )
        places, delays = [], []
        for row, times in enumerate(tasks):
            aside = SPREAD * (2 * row / max(len(tasks) - 1, 1) - 1)
            for number, (before, after) in enumerate(pairwise(times), start=1):
                places.append(number + aside)
                delays.append(after - before)
        axes.plot(
            places, delays, linestyle="none", marker="o", markersize=4.5, color=drawing.colour(0),
            label=texts.BACKOFF_OBSERVED,
        )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xticks(numbers)
        axes.set_xlabel(texts.BACKOFF_RETRY)
        axes.set_ylabel(texts.BACKOFF_SECONDS)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return drawing.picture
