"""What checks of chords share: a learner's plan, sent and followed to whatever end it has."""

import re
from dataclasses import dataclass

from celery.canvas import Signature
from celery.exceptions import TimeoutError as NotYet
from celery.result import ResultBase

from celerylab import lab
from celerylab.stack.worker import Worker
from celerylab.views.follow import UUID
from celerylab.views.runs import Run

LOOK = 2.0  # s between two looks at whether anything is left to do
EVENTS = 3.0  # s to wait for events: of a task that ends with Ignore, none comes
TIMEOUT = 30.0  # s
PLACE = re.compile(r"(?:\w+:)?/[^\s'\"]*/")
LONGEST = 240  # letters


@dataclass(frozen=True)
class Sent:
    """What became of a plan.

    Attributes
    ----------
    runs
        The tasks that the worker ran.
    ended
        Whether the plan came to an end; if not, the worker has nothing left to do.
    error
        What the plan raised, if it did.
    """

    runs: list[Run]
    ended: bool
    error: Exception | None = None

    @property
    def ran(self) -> str:
        """How often each task ran, in words."""
        names = [run.task.rpartition(".")[2] for run in self.runs]
        return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names)) or "none"

    def of(self, name: str) -> list[Run]:
        """Return the runs of one task."""
        return [run for run in self.runs if run.task.rpartition(".")[2] == name]


def send(plan: Signature, worker: Worker, queue: str) -> Sent:
    """Send a plan; return once it has ended, or nothing is left that could end it."""
    with lab.watch(wait=EVENTS) as seen:
        result = plan.apply_async()
        ended = ends(result, worker, queue)
    found = result.get(timeout=LOOK, propagate=False) if ended else None
    values = found if isinstance(found, list) else [found]
    error = next((each for each in values if isinstance(each, Exception)), None)
    return Sent(list(seen), ended, error)


def ends(result: ResultBase, worker: Worker, queue: str, timeout: float = TIMEOUT) -> bool:
    """Wait for a result; say whether it came, or the worker has nothing left to do.

    Parameters
    ----------
    result
        What is waited for.
    worker
        The only one that consumes ``queue``.
    queue
        Of all tasks that the result needs.
    timeout
        Seconds that the worker may take until it is idle.
    """
    while True:
        try:
            result.get(timeout=LOOK, propagate=False)
        except NotYet:
            begun = _begun(worker)
            worker.until(running=0, reserved=0, timeout=timeout)
            waiting = lab.redis.llen(queue)
            # what the worker took between the two looks has begun by now
            worker.until(running=0, reserved=0, timeout=timeout)
            if not waiting and begun == _begun(worker) and not result.ready():
                return False
        else:
            worker.until(running=0, reserved=0, timeout=timeout)  # its events come after its results
            return True


def _begun(worker: Worker) -> int:
    """Return how many tasks the worker has begun so far."""
    return sum(worker.inspect("stats")["total"].values())


def shown(value: object) -> str:
    """Write a value for a message: of addresses and paths the last part, and not too long."""
    text = value if isinstance(value, str) else repr(value)
    text = UUID.sub("…", PLACE.sub("…/", text))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
