"""What ``lab`` shows: the half of the toolbox that only looks."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from celerylab.stack.worker import BEATS_TASKS
from celerylab.views.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    import redis
    from celery import Celery
    from celery.canvas import Signature
    from celery.result import ResultBase

    from celerylab.dead_letters import Store
    from celerylab.views.dashboard import Dashboard
    from celerylab.views.dead_letters import LettersView
    from celerylab.views.follow import Followed
    from celerylab.views.outcomes import Outcomes
    from celerylab.views.picture import Picture
    from celerylab.views.preview import Preview
    from celerylab.views.queues import Message
    from celerylab.views.table import Table
    from celerylab.views.watch import Watch


class Views(ABC):
    """Views into a broker and what its workers do."""

    def __init__(self) -> None:
        self._sent = Sent()
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()

    @property
    @abstractmethod
    def url(self) -> str:
        """The broker's address."""

    @property
    @abstractmethod
    def redis(self) -> redis.Redis:
        """A client of the broker."""

    @property
    @abstractmethod
    def attached(self) -> bool:
        """Whether others use the broker, too."""

    def watch(self, *, wait: float = 10.0) -> Watch:
        """Listen to task events during a ``with`` block.

        Parameters
        ----------
        wait
            At the end of the block, seconds to wait at most for the tasks sent within it.
        """
        from celerylab.views.watch import Watch

        watch = Watch(self.url, wait, BEATS_TASKS if self.attached else None)
        self._watches.add(watch)
        return watch

    def dashboard(self, *, idle: float = 2.0, limit: float = 60.0) -> Dashboard:
        """Show queues, rates, latency and workers, live during a ``with`` block and until all is done.

        ``lab.dashboard().run()`` does so without a block. Afterwards it is a figure, with the numbers
        in ``table()``, ``percentile()``, ``sent``, ``done``, ``failed``, ``longest`` and ``workers``.

        Parameters
        ----------
        idle
            When the block has ended, stop once nothing has been left to do for so many seconds.
        limit
            Stop so many seconds after the block began, whatever is left. An interrupt stops it, too.
        """
        from celerylab.views.dashboard import Dashboard

        return Dashboard(self.url, idle=idle, limit=limit, others=BEATS_TASKS if self.attached else None)

    def queues(self) -> Table:
        """Return the queues that hold messages, and how many."""
        from celerylab.views.queues import queues

        return queues(self.redis)

    def peek(self, queue: str, index: int = 0) -> Message:
        """Return a waiting message without taking it; 0 is the next that a worker gets."""
        from celerylab.views.queues import peek

        return peek(self.redis, queue, index)

    def preview(
        self,
        schedule: Mapping[str, Mapping[str, Any]] | Celery,
        *,
        start: datetime | None = None,
        days: float = 7,
        timezone: str | tzinfo | None = None,
        shown_in: str | tzinfo | None = None,
        first: int = 3,
    ) -> Preview:
        """Return when Beat would send the entries of a schedule, without waiting.

        Beat starts at ``start`` and has no file of what it sent before. The list shows itself;
        ``timeline()`` is a picture of the days, ``preview["name"]`` has the moments of one entry.

        Parameters
        ----------
        schedule
            A dictionary as in ``beat_schedule``, or an app that has one.
        start
            With a timezone; now if not given.
        days
            How many are shown.
        timezone
            That in which hours and days are meant, as in the setting ``timezone``; the app's,
            or UTC for a dictionary, if not given.
        shown_in
            Timezone in which the moments are shown; ``timezone`` if not given.
        first
            How many runs of each entry are listed.

        Raises
        ------
        LabError
            Names the entry, the time or the timezone that is none.
        """
        from celerylab.views.preview import preview

        return preview(schedule, start=start, days=days, timezone=timezone, shown_in=shown_in, first=first)

    def draw(self, canvas: Signature | ResultBase) -> Picture:
        """Draw a canvas: what comes after to the right, what runs at the same time below.

        Wide groups and long chains are folded, with a count; what failed stays in sight.

        Parameters
        ----------
        canvas
            A signature: of a task, chain, group or chord, nested at will. Or the result of one:
            then each task has its state and result, and how long it ran if a ``lab.watch()``
            has seen it. ``LabError`` if it is neither.
        """
        from celerylab.views.draw import draw

        return draw(canvas, self._outcomes())

    def follow(self, result: ResultBase, *, timeout: float = 60.0) -> Followed:
        """Show a progress bar until a result is ready, and return how it ended.

        A task that fails is shown, not raised. An interrupt ends the following alone.

        Parameters
        ----------
        result
            Of a task, whose own progress is shown: ``update_state(meta=...)`` with ``current``
            and ``total``, or ``progress`` in percent, and a text ``status``. Or of a group, chord
            or chain, whose finished tasks are counted.
        timeout
            Seconds.

        Raises
        ------
        Timeout
            It was not ready by then; the tasks go on.
        LabError
            It is no result.
        """
        from celerylab.views.follow import follow

        return follow(result, self._outcomes(), timeout)

    def dead_letters(self, store: Store | None = None) -> LettersView:
        """Return the tasks that failed for good, to look through, replay and drop.

        Parameters
        ----------
        store
            Where they lie, such as a ``labtasks.dead_letters.DeadLetters``; that of the bundled
            worker if not given.
        """
        from celerylab.dead_letters import open_store
        from celerylab.stack.control import client
        from celerylab.views.dead_letters import LettersView

        return LettersView(open_store(self.url, None) if store is None else store, client(self.url))

    def _outcomes(self) -> Outcomes:
        from celerylab.views.outcomes import Outcomes

        return Outcomes(self._sent, sorted(self._watches, key=lambda watch: watch.began))
