"""What became of the tasks behind a result, from all that is known in this process."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from celery.states import READY_STATES

from celerylab.errors import Timeout
from celerylab.stack.waiting import wait_for
from celerylab.views import texts
from celerylab.views.flow import BAD, Outcome, ends, line, tasks
from celerylab.views.sent import Call, Sent
from celerylab.views.short import short

if TYPE_CHECKING:
    from celery.result import AsyncResult, ResultBase

    from celerylab.views.runs import Run
    from celerylab.views.watch import Watch


RESULT = 16  # letters
LATE = 2.0  # s


class Outcomes:
    """Calls and outcomes by task.

    Parameters
    ----------
    sent
        Calls that this process has sent.
    watches
        Task events seen, newest watch last: durations are known from nowhere else.
    """

    def __init__(self, sent: Sent, watches: Iterable[Watch]) -> None:
        self._sent = sent
        self._runs: dict[str, Run] = {run.id: run for watch in watches for run in watch.runs}

    def call(self, task_id: str) -> Call:
        """Return the call of a task; one without a name if nothing is known of it."""
        known = self._sent.get(task_id)
        if known is None and (run := self._runs.get(task_id)) is not None and run.task:
            return Call(run.task, (short_text(run.args),))
        return known or Call(texts.UNKNOWN_TASK)

    def settle(self, result: ResultBase) -> None:
        """Wait a moment for the results of steps before a last one that has ended.

        A worker sends the next step of a chain before it stores the result of this one, so the
        last can be read sooner. A result that is ignored or was forgotten never comes.

        Source: ``celery.app.trace.build_tracer``.
        """
        for end in ends(result):
            state = meta(end)["status"]
            if state == "SUCCESS":
                before = [each for each in tasks(end, self.call) if each.id != end.id]
            elif state in BAD:
                # those of a group may run on when one has failed
                before = list(takewhile(_may_have_run_well, line(end, self.call)))
            else:
                continue
            with suppress(Timeout):
                wait_for(len(before), "results", partial(_ready, before), LATE)

    def of(self, result: AsyncResult[Any]) -> Outcome:
        """Return what the backend holds of a task, and how long it ran if a watch has seen it."""
        run = self._runs.get(result.id)
        found = meta(result)
        state, value = found["status"], found["result"]
        # a result that is ignored, or has expired, leaves no state; the events have told it
        if state == "PENDING" and run is not None and run.final:
            state = run.state
        shown = None
        if found["status"] == "SUCCESS":
            shown = texts.RESULT.format(value=short(value, RESULT))
        elif isinstance(value, Exception):
            shown = type(value).__name__
        return Outcome(state, shown, run.ran if run else None)


def meta(result: AsyncResult[Any]) -> dict[str, Any]:
    """Return state and result in one look: between two, a task may end.

    Without a result backend every task is ``PENDING``.
    """
    try:
        found: dict[str, Any] = result.backend.get_task_meta(result.id)
    except (NotImplementedError, AttributeError):
        return {"status": "PENDING", "result": None}
    return found


def _may_have_run_well(result: ResultBase) -> bool:
    from celery.result import GroupResult

    return not isinstance(result, GroupResult) and meta(result)["status"] not in BAD


def _ready(results: Iterable[AsyncResult[Any]]) -> list[AsyncResult[Any]]:
    return [each for each in results if meta(each)["status"] in READY_STATES]


def short_text(args: str) -> str:
    """Return a worker's ``(4, 4)`` without its brackets."""
    return args.removeprefix("(").removesuffix(")").rstrip(",")
