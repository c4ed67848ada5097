"""Task events put together: one record for each time that a task ran."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FINAL = {
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-rejected": "REJECTED",
    "task-revoked": "REVOKED",
    "task-retried": "RETRY",
}


@dataclass
class Run:
    """One run of a task; a retry or a redelivery is another run of the same id.

    Times are seconds since the epoch, by the clock of who reported them; ``None`` for what
    did not happen.

    Attributes
    ----------
    id, task, args
        The task's id, its name, and its arguments as text.
    worker, process
        Who ran it: the worker's name, and the id of the process.
    sent, received, started, finished
        When that happened.
    state
        The last that was heard.
    """

    id: str
    task: str = ""
    args: str = ""
    worker: str = ""
    process: int | None = None
    sent: float | None = None
    received: float | None = None
    started: float | None = None
    finished: float | None = None
    state: str = "PENDING"

    @property
    def waited(self) -> float | None:
        """Seconds from being sent (or received, if it was sent elsewhere) to its start."""
        since = self.received if self.sent is None else self.sent
        return None if self.started is None or since is None else self.started - since

    @property
    def ran(self) -> float | None:
        """Seconds from its start to its end."""
        return None if self.started is None or self.finished is None else self.finished - self.started

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the task, as far as its events tell."""
        return self.finished is not None and self.state != "RETRY"


@dataclass
class Runs:
    """All runs seen, in the order in which their tasks were first heard of."""

    by_id: dict[str, list[Run]] = field(default_factory=dict)
    first_child: dict[str, float] = field(default_factory=dict)  # when it was received, by its parent's id

    def __iter__(self) -> Iterator[Run]:
        return (run for runs in self.by_id.values() for run in runs)

    def __len__(self) -> int:
        return sum(map(len, self.by_id.values()))

    def sent(self, task_id: str, task: str, args: str, at: float) -> None:
        """Take note of a task that this process sends."""
        run = self._waiting_run(task_id)
        run.task, run.args, run.sent = task, args, at

    def event(self, event: dict[str, Any]) -> None:
        """Take note of a task event, as a worker sent it."""
        kind, at = event["type"], event["timestamp"]
        if kind == "task-received":
            if event.get("parent_id"):
                self.first_child.setdefault(event["parent_id"], at)
            self._replace(event["uuid"], event["name"], at)
            run = self._waiting_run(event["uuid"])
            run.task, run.args, run.worker, run.received = event["name"], event["args"], event["hostname"], at
            run.state = "RECEIVED"
        elif kind == "task-started":
            run = self._received_run(event["uuid"], event["hostname"])
            run.started, run.process, run.state = at, event.get("process"), "STARTED"
        elif kind in FINAL:
            run = self._received_run(event["uuid"], event["hostname"], started=True)
            run.finished, run.state = at, FINAL[kind]

    def open_ids(self) -> set[str]:
        """Return the ids of tasks that are sent or received and not yet done."""
        return {task_id for task_id, runs in self.by_id.items() if not runs[-1].final}

    def _replace(self, task_id: str, by: str, at: float) -> None:
        """Take note of a task that has become another one of its id: no event says so.

        Nor when it ended; that was soon after the first of what it became was received.
        """
        for run in self.by_id.get(task_id, []):
            if run.started is not None and run.finished is None and run.task != by:
                run.finished = max(run.started, self.first_child.get(task_id, at))
                run.state = "REPLACED"

    def _waiting_run(self, task_id: str) -> Run:
        runs = self.by_id.setdefault(task_id, [])
        if runs and runs[-1].received is None:
            return runs[-1]
        runs.append(Run(task_id, task=runs[-1].task, args=runs[-1].args) if runs else Run(task_id))
        return runs[-1]

    def _received_run(self, task_id: str, worker: str, *, started: bool = False) -> Run:
        # two workers may have the same task at the same time: one redelivered to the other
        # and a retry may be received before the end of the run that asked for it is heard of
        unfinished = [
            run for run in self.by_id.get(task_id, []) if run.worker == worker and run.finished is None
        ]
        for run in sorted(unfinished, key=lambda run: (run.started is not None) != started):
            if started or run.started is None:
                return run
        run = Run(task_id, worker=worker)
        self.by_id.setdefault(task_id, []).append(run)
        return run
