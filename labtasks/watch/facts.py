"""What is looked at: queues, workers, and how tasks have ended of late."""

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
from celery.utils.log import get_logger

from labtasks import queue_health
from labtasks.queue_health import QueueHealth

if TYPE_CHECKING:
    from celery import Celery

logger = get_logger(__name__)

ANSWER = 1.0  # s; nobody knows how many workers will answer, so all of it is waited
KEEP = 3600.0  # s
AGAIN = 1.0  # s until a broker that went away is tried again
LOOK_UP = 0.2  # s
_FAILED = {"task-succeeded": False, "task-failed": True}


class Facts(msgspec.Struct, frozen=True):
    """What was found in one look.

    Attributes
    ----------
    queues
        Each queue that the app knows.
    workers
        The queues that each worker consumes, by its node name; ``None`` if nobody has asked.
    outcomes
        How tasks have ended of late; ``None`` if nobody has listened.
    """

    queues: tuple[QueueHealth, ...] = ()
    workers: dict[str, tuple[str, ...]] | None = None
    outcomes: "Outcomes | None" = None


class Outcomes:
    """Counts how tasks end, as workers tell in task events (``celery worker -E``)."""

    def __init__(self) -> None:
        self._ends: deque[tuple[float, bool]] = deque()
        self._lock = threading.Lock()
        self._stopping = False

    def count(self, seconds: float) -> tuple[int, int]:
        """Return how many tasks have ended within so many seconds, and how many of them failed."""
        since = time.monotonic() - seconds
        with self._lock:
            recent = [failed for at, failed in self._ends if at >= since]
        return len(recent), sum(recent)

    def note(self, *, failed: bool) -> None:
        """Take note of a task that has ended now."""
        now = time.monotonic()
        with self._lock:
            self._ends.append((now, failed))
            while self._ends[0][0] < now - KEEP:
                self._ends.popleft()

    def listen(self, app: "Celery") -> None:
        """Count until ``stop``; a broker that goes away is tried again."""
        while not self._stopping:
            try:
                self._receive(app)
            except Exception as away:  # noqa: BLE001  # whatever a connection raises
                logger.debug("no task events: %s", away)
                time.sleep(AGAIN)

    def stop(self) -> None:
        """Let ``listen`` return."""
        self._stopping = True

    def _receive(self, app: "Celery") -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": self._event})
            receiver.on_iteration = lambda: setattr(receiver, "should_stop", self._stopping)
            for _ in receiver.consume(limit=None, safety_interval=LOOK_UP, wakeup=False):
                pass

    def _event(self, event: dict[str, Any]) -> None:
        failed = _FAILED.get(event["type"])
        if failed is not None:
            self.note(failed=failed)


def gather(app: "Celery", outcomes: Outcomes | None = None, answer: float | None = ANSWER) -> Facts:
    """Look at queues and workers.

    Parameters
    ----------
    app
        The app.
    outcomes
        How tasks have ended, if somebody has listened.
    answer
        Seconds in which workers answer; ``None`` to ask none.

    Raises
    ------
    queue_health.BrokerAway
        The broker does not answer.
    """
    queues = queue_health.look(app)
    if answer is None:
        return Facts(tuple(queues), None, outcomes)
    found = app.control.inspect(timeout=answer).active_queues() or {}
    workers = {node: tuple(each["name"] for each in consumed) for node, consumed in found.items()}
    return Facts(tuple(queues), workers, outcomes)
