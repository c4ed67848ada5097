"""``lab.dashboard()``: queues, rates, latency and workers, live while a ``with`` block runs."""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from html import escape
from typing import Any, Self

from celerylab.errors import LabError
from celerylab.stack.broker import client
from celerylab.views import texts
from celerylab.views.meter import HALF, MOST, Meter
from celerylab.views.picture import Picture
from celerylab.views.queues import depths
from celerylab.views.runs import Run
from celerylab.views.table import Table
from celerylab.views.watch import Watch

LOOK = 0.2  # s between two looks at the queues
FRAME = 1.0  # s between two figures, at least
SHARE = 3  # a figure may take a third of the time, on a slow machine too
_VIEW = "application/vnd.jupyter.widget-view+json"


class Dashboard:
    """What happens on a broker, live in a notebook; afterwards as a figure and as numbers.

    Parameters
    ----------
    url
        The broker.
    idle
        When the block has ended, stop once nothing has been left to do for so many seconds.
    limit
        Stop so many seconds after the block began, whatever is left; the block itself goes on.
    others
        Beginning of the names of tasks that somebody else sends; they are left out.

    Attributes
    ----------
    ended
        Why it stopped: ``idle``, ``limit``, ``interrupt`` or ``error``; ``None`` before.
    """

    def __init__(
        self, url: str, *, idle: float = 2.0, limit: float = 60.0, others: str | None = None
    ) -> None:
        self.ended: str | None = None
        self._url, self._idle, self._limit = url, idle, limit
        self._watch = Watch(url, 0.0, others)
        self._times: list[float] = []
        self._depth: dict[str, list[int]] = {}
        self._stopped_after: float | None = None
        self._stop = threading.Event()
        self._problem: Exception | None = None
        # drawing takes long on a slow machine, and must not leave a gap in what is drawn
        self._threads = [
            threading.Thread(target=self._carefully, args=[do], name="celerylab-dashboard", daemon=True)
            for do in (self._look_on, self._show_on)
        ]
        self._show: Callable[[Picture, str], None] | None = None
        self._final: Picture | None = None
        self._over = False

    # -- numbers ------------------------------------------------------------------------

    @property
    def runs(self) -> list[Run]:
        """The runs seen so far."""
        return self._watch.runs

    @property
    def sent(self) -> int:
        """How many tasks were sent, those that workers sent too."""
        return self._meter().counts()["sent"]

    @property
    def done(self) -> int:
        """How many succeeded."""
        return self._meter().counts()["done"]

    @property
    def failed(self) -> int:
        """How many failed."""
        return self._meter().counts()["failed"]

    @property
    def workers(self) -> list[str]:
        """The workers heard of, by name."""
        return list(self._meter().workers())

    @property
    def longest(self) -> dict[str, int]:
        """The most messages that were seen to wait in each queue."""
        return {queue: max(seen) for queue, seen in sorted(self._depth.items()) if any(seen)}

    def percentile(self, what: str, percent: float = MOST, task: str | None = None) -> float | None:
        """Return the seconds in which so many of a hundred runs ``waited`` or ``ran``, or less.

        Parameters
        ----------
        what
            ``waited`` for a process, or ``ran``.
        percent
            Above 0, up to 100.
        task
            Name of one task; all if not given.
        """
        if what not in texts.DASHBOARD_TIMES:
            raise LabError(texts.DASHBOARD_WHAT.format(what=what))
        if not 0 < percent <= 100:
            raise LabError(texts.DASHBOARD_PERCENT.format(percent=percent))
        return self._meter().percentile(what, percent, task)

    def table(self) -> Table:
        """Return counts and percentiles, a row a task."""
        meter = self._meter()
        rows = []
        for task in meter.tasks():
            times = [meter.percentile(what, p, task) for what in texts.DASHBOARD_TIMES for p in (HALF, MOST)]
            shown = ["" if each is None else round(each, 3) for each in times]
            rows.append([task, *meter.counts(task).values(), *shown])
        return Table(texts.DASHBOARD_COLUMNS, rows, empty=texts.NOTHING_SEEN)

    def figure(self) -> Picture:
        """Return the figure as it is now."""
        from celerylab.views.dashboard_figure import figure  # matplotlib, only once a figure is wanted

        if self._final is None:
            over = self._over  # first: a figure begun before the end is not the last one
            drawn = figure(self._meter(), repr(self))
            if not over:
                return drawn
            self._final = drawn
        return self._final

    def __repr__(self) -> str:
        return texts.DASHBOARD.format(ended=texts.DASHBOARD_ENDED[self.ended])

    def _repr_png_(self) -> bytes:
        return self.figure().png

    # -- live ---------------------------------------------------------------------------

    def run(self) -> Self:
        """Show what happens without a block of one's own, until nothing is left to do."""
        with suppress(KeyboardInterrupt), self:  # it ends the dashboard, and nothing else
            pass
        return self

    def __enter__(self) -> Self:
        try:
            self._show = _live(repr(self))  # first: what it loads takes longer than many a block
            self._watch.__enter__()
        except BaseException as problem:  # an interrupt, too: what is shown must not look as if it went on
            self.ended, self._over = _why(type(problem)), True
            self._show_last()
            raise
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.ended = self._wait() if kind is None else _why(kind)
        except KeyboardInterrupt:  # it ends the dashboard, and nothing else
            self.ended = "interrupt"
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            self._watch.__exit__()
            self._stopped_after = self._stopped_after or self._now()
            self._over = True
        if self._problem is not None and kind is None:
            raise LabError(str(self._problem)) from self._problem
        self._show_last()

    def _show_last(self) -> None:
        if self._show:
            self._show(self.figure(), self._alt())

    def _wait(self) -> str:
        quiet_since = self._now()
        before: tuple[object, ...] | None = None
        while self._now() < self._limit and self._problem is None:
            found = self._happened()
            if found != before or self._watch.open:
                quiet_since, before = self._now(), found
            elif self._now() - quiet_since >= self._idle:
                return "idle"
            time.sleep(LOOK / 4)
        return "limit" if self._problem is None else "error"

    def _happened(self) -> tuple[object, ...]:
        """Return something that is another when anything was sent, begun or ended."""
        moments = [(run.received, run.started, run.finished) for run in self.runs]
        waiting = [seen[-1] for _, seen in tuple(self._depth.items()) if seen]
        return sum(each is not None for run in moments for each in run), waiting

    def _look_on(self) -> None:
        broker = client(self._url)
        while not self._stop.is_set() and self._now() < self._limit:
            self._look(broker)
            self._stop.wait(LOOK)
        self._look(broker)
        self._stopped_after = self._now()
        broker.close()

    def _show_on(self) -> None:
        pause = FRAME / 2
        while self._show and not self._stop.wait(pause) and self._now() < self._limit:
            began = self._now()
            self._show(self.figure(), self._alt())
            pause = max(FRAME, SHARE * (self._now() - began))

    def _carefully(self, do: Callable[[], None]) -> None:
        try:
            do()
        except Exception as problem:  # noqa: BLE001  # told by the thread that waits for this one
            self._problem = problem

    def _look(self, broker: Any) -> None:
        found = depths(broker)
        self._times.append(self._now())
        for queue in self._depth.keys() | found.keys():
            # a queue that is seen for the first time was empty before
            known = self._depth.setdefault(queue, [0] * (len(self._times) - 1))
            known.append(found.get(queue, 0))

    def _now(self) -> float:
        return max(0.0, time.time() - self._watch.began)  # it has no end before it begins

    def _meter(self) -> Meter:
        began = self._watch.began
        seconds = self._stopped_after or (self._now() if began else 0.0)
        n = len(self._times)  # a look may just be going on
        depth = {queue: seen[:n] + [0] * (n - len(seen)) for queue, seen in tuple(self._depth.items())}
        return Meter(seconds, [_since(run, began) for run in self.runs], self._times[:n], depth)

    def _alt(self) -> str:
        meter = self._meter()
        waiting = sum(seen[-1] for seen in meter.depth.values() if seen)
        workers = ", ".join(meter.workers()) or texts.NONE
        return texts.DASHBOARD_ALT.format(
            seconds=meter.seconds, waiting=waiting, workers=workers, **meter.counts()
        )


def _why(kind: type[BaseException]) -> str:
    return "interrupt" if issubclass(kind, KeyboardInterrupt) else "error"


def _since(run: Run, began: float) -> Run:
    def shifted(at: float | None) -> float | None:
        return None if at is None else at - began

    return replace(
        run,
        sent=shifted(run.sent),
        received=shifted(run.received),
        started=shifted(run.started),
        finished=shifted(run.finished),
    )


def _live(title: str) -> Callable[[Picture, str], None] | None:
    """Show a place for figures in a notebook, and return what changes it; ``None`` elsewhere.

    The figure's text changes with it and is read when somebody asks, not by itself each second.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return None
    # before the thread that draws: two threads that import at once may lock each other out
    import matplotlib.backends.backend_agg
    import matplotlib.style  # noqa: F401
    from IPython.display import display
    from ipywidgets import HTML  # type: ignore[import-untyped]

    from celerylab.views.dashboard_figure import figure

    widget = HTML()
    bundle = {"text/plain": texts.DASHBOARD_LIVE, _VIEW: widget._repr_mimebundle_()[_VIEW]}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def show(picture: Picture, alt: str) -> None:
        data = base64.b64encode(picture.png).decode()
        widget.value = f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" style="max-width: 100%">'

    # the first figure of all takes several times as long as those that follow
    show(figure(Meter(0.0), title), title)
    return show
