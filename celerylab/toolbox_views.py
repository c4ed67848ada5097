"""What ``lab`` shows: the half of the toolbox that only looks."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from celerylab.stack.worker import BEATS_TASKS
from celerylab.views.sent import Sent

if TYPE_CHECKING:
    import redis
    from celery.canvas import Signature
    from celery.result import ResultBase

    from celerylab.views.follow import Followed
    from celerylab.views.outcomes import Outcomes
    from celerylab.views.picture import Picture
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

    def queues(self) -> Table:
        """Return the queues that hold messages, and how many."""
        from celerylab.views.queues import queues

        return queues(self.redis)

    def peek(self, queue: str, index: int = 0) -> Message:
        """Return a waiting message without taking it; 0 is the next that a worker gets."""
        from celerylab.views.queues import peek

        return peek(self.redis, queue, index)

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

        return follow(result, self._outcomes().call, timeout)

    def _outcomes(self) -> Outcomes:
        from celerylab.views.outcomes import Outcomes

        return Outcomes(self._sent, sorted(self._watches, key=lambda watch: watch.began))
