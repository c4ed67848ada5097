"""What a dashboard shows, as numbers: counts, rates, percentiles, of the runs that were seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from celerylab.views.runs import FINAL, Run

DONE, FAILED = FINAL["task-succeeded"], FINAL["task-failed"]
HALF, MOST = 50, 95  # percent
BINS = 40  # at most
NARROWEST = 0.5  # s


@dataclass
class Meter:
    """A dashboard's numbers at one moment.

    Attributes
    ----------
    seconds
        Since the dashboard began.
    runs
        Those seen, with their times as seconds since it began.
    depth
        Messages that waited in each queue, looked at at ``times``.
    """

    seconds: float
    runs: Sequence[Run] = ()
    times: Sequence[float] = ()
    depth: dict[str, list[int]] = field(default_factory=dict)

    def counts(self, task: str | None = None) -> dict[str, int]:
        """Return how many were sent, done and failed; of one task, or of all."""
        runs = [run for run in self.runs if task in (None, run.task)]
        return {
            "sent": sum(sent_at(run) is not None for run in runs),
            "done": sum(run.state == DONE for run in runs),
            "failed": sum(run.state == FAILED for run in runs),
        }

    def rates(self) -> tuple[list[float], dict[str, list[float]]]:
        """Return the ends of steps of time, and for each what was sent, done and failed a second."""
        width = max(NARROWEST, self.seconds / BINS)
        # the last step takes what is left, instead of a short one that says nothing
        n = max(1, int(self.seconds / width))
        ends = [*(number * width for number in range(1, n)), max(self.seconds, width)]
        found = {"sent": [0.0] * n, "done": [0.0] * n, "failed": [0.0] * n}
        for run in self.runs:
            moments = {
                "sent": sent_at(run),
                "done": run.finished if run.state == DONE else None,
                "failed": run.finished if run.state == FAILED else None,
            }
            for what, at in moments.items():
                if at is not None:
                    step = min(n - 1, max(0, int(at / width)))
                    found[what][step] += 1 / (ends[step] - step * width)
        return ends, found

    def percentile(self, what: str, percent: float, task: str | None = None) -> float | None:
        """Return the time in which so many of a hundred runs ``waited`` or ``ran``, or less."""
        times = [getattr(run, what) for run in self.runs if task in (None, run.task)]
        return percentile([each for each in times if each is not None], percent)

    def workers(self) -> dict[str, tuple[int, int]]:
        """Return how many runs each worker has ended, and how many it runs, by its name."""
        found: dict[str, list[int]] = {}
        for run in self.runs:
            if run.worker:
                known = found.setdefault(run.worker, [0, 0])
                known[0] += run.finished is not None
                known[1] += run.started is not None and run.finished is None
        return {worker: (done, running) for worker, (done, running) in sorted(found.items())}

    def tasks(self) -> list[str]:
        """Return the names of the tasks seen."""
        return sorted({run.task for run in self.runs if run.task})


def sent_at(run: Run) -> float | None:
    """Return when a run was sent; when it was received, if it was sent elsewhere."""
    return run.received if run.sent is None else run.sent


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the smallest of the values that so many percent do not exceed; ``None`` of none."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None
