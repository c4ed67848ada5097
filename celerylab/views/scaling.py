"""How many tasks a second some workers do, beside what one would hope for."""

from __future__ import annotations

from collections.abc import Mapping

from celerylab.views import texts
from celerylab.views.picture import Picture, canvas

HEIGHT = 3.2  # inches
ROOM = 0.3  # beside the first and the last number of workers
MARKERS = "osD^"


def scaling(rates: Mapping[str, Mapping[int, float]]) -> Picture:
    """Draw the throughput of one worker and of several, and the ideal: so many times that of one.

    Parameters
    ----------
    rates
        By the name of what was done: tasks a second, by the number of workers, 1 included.

    Returns
    -------
    Picture
        Its text names what was done, not how fast, which differs from run to run.
    """
    names = texts.AND.join(rates)
    workers = sorted({n for measured in rates.values() for n in measured})
    with canvas(texts.SCALING.format(names=names, most=workers[-1]), height=HEIGHT, width=6.8) as drawing:
        axes = drawing.axes
        axes.grid(visible=False)
        for number, (name, measured) in enumerate(rates.items()):
            counts, colour = sorted(measured), drawing.colour(number)
            axes.plot(
                counts, [measured[1] * n for n in counts], linestyle="--", color=colour, linewidth=1.2,
                label=texts.SCALING_IDEAL.format(name=name),
            )  # fmt: skip
            axes.plot(
                counts, [measured[n] for n in counts], color=colour, linewidth=2.0, zorder=3,
                marker=MARKERS[number % len(MARKERS)], label=texts.SCALING_MEASURED.format(name=name),
            )  # fmt: skip
        axes.set_xlim(workers[0] - ROOM, workers[-1] + ROOM)
        axes.set_ylim(bottom=0)
        axes.set_xticks(workers)
        axes.set_xlabel(texts.SCALING_WORKERS)
        axes.set_ylabel(texts.SCALING_RATE)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return drawing.picture
