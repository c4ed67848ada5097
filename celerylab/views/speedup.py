"""How many times as fast work is on several processes, beside what one would hope for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from celerylab.views import texts
from celerylab.views.picture import Picture, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 0.4  # beside the first and the last number of processes
HEIGHT = 3.4  # inches


def speedup(alone: float, together: Mapping[int, float], *, cores: int | None = None) -> Picture:
    """Draw the speed-up of work that several processes share.

    Parameters
    ----------
    alone
        Seconds that a plain loop took.
    together
        Seconds that the same work took, by the number of processes.
    cores
        Cores that the processes could use; those of this machine if not given.

    Returns
    -------
    Picture
        Its text says for which numbers of processes, not how fast, which differs from run to run.
    """
    cores = cores or _cores()
    processes = sorted(together)
    text = texts.SPEEDUP.format(processes=", ".join(map(str, processes)))
    with canvas(text, height=HEIGHT, width=6.4) as drawing:
        axes, most = drawing.axes, processes[-1]
        measured = [alone / together[n] for n in processes]
        top = max(most, *measured) + ROOM
        axes.set_xlim(processes[0] - ROOM, most + ROOM)
        axes.set_ylim(0, top)
        axes.grid(visible=False)
        ends = [0, most + ROOM]
        axes.plot(
            ends, ends, linestyle="--", color=drawing.colour(1), linewidth=1.4, label=texts.SPEEDUP_IDEAL
        )
        axes.axhline(1, color="#555555", linewidth=0.8, label=texts.SPEEDUP_ALONE)
        axes.plot(
            processes, measured, marker="o", color=drawing.colour(0), linewidth=2.0,
            label=texts.SPEEDUP_MEASURED, zorder=3,
        )  # fmt: skip
        _draw_cores(axes, cores, most, top)
        for n, value in zip(processes, measured, strict=True):
            axes.annotate(
                f"{value:.2g}", (n, value), (0, -15), textcoords="offset points", ha="center",
                bbox={"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.1"},
            )  # fmt: skip
        axes.set_xticks(processes)
        axes.set_xlabel(texts.SPEEDUP_PROCESSES)
        axes.set_ylabel(texts.SPEEDUP_TIMES)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return drawing.picture


def _draw_cores(axes: Axes, cores: int, most: int, top: float) -> None:
    label = texts.SPEEDUP_ONE_CORE if cores == 1 else texts.SPEEDUP_CORES.format(n=cores)
    if cores > most:  # no place for it on the axis: it is told all the same
        axes.plot([], [], color="none", label=label)
    else:
        axes.vlines(cores, 0, top, color="#555555", linewidth=1.2, linestyle=":", label=label)


def _cores() -> int:
    try:
        from celery.utils.sysinfo import cpu_budget
    except ImportError:  # before Celery 5.7, which knows what a container may use
        return os.cpu_count() or 1
    return int(cpu_budget().count)
