"""``lab.follow()``: a progress bar until a result is ready."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery.states import READY_STATES

from celerylab.errors import LabError, Timeout
from celerylab.views import texts
from celerylab.views.flow import BAD, ends, tasks
from celerylab.views.outcomes import meta

if TYPE_CHECKING:
    from celery.result import ResultBase

    from celerylab.views.outcomes import Outcomes

PAUSE = 0.05  # s
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Progress:
    """How far a task is.

    Attributes
    ----------
    done
        From 0 to 1.
    says
        What it says of itself, and else its state.
    """

    done: float
    says: str


def progress_of(found: dict[str, Any]) -> Progress:
    """Read a task's own progress from what the backend holds of it.

    Understood are ``current`` with ``total``, or ``progress`` in percent, and a text ``status``:
    what a task hands to ``update_state(meta=...)``.
    """
    state, info = found["status"], found["result"]
    if state in READY_STATES:
        return Progress(1.0, state)
    if not isinstance(info, dict):
        return Progress(0.0, state)
    done = 0.0
    if info.get("total"):
        done = float(info.get("current", 0)) / float(info["total"])
    elif "progress" in info:
        done = float(info["progress"]) / 100
    return Progress(min(max(done, 0.0), 1.0), str(info.get("status", state)))


@dataclass(frozen=True)
class Followed:
    """What was followed to its end; displays as one line.

    Attributes
    ----------
    name
        The last task's.
    states
        The last state of each task.
    says
        Each text that a single task was seen to say, in order.
    problem
        The exception, if the last task failed.
    """

    name: str
    states: tuple[str, ...]
    says: tuple[str, ...] = ()
    problem: str | None = None

    def __repr__(self) -> str:
        if self.problem:
            return texts.FOLLOWED_FAILED.format(name=self.name, state=self.states[-1], problem=self.problem)
        if len(self.states) == 1:
            return texts.FOLLOWED.format(name=self.name, state=self.states[0])
        return _counted(self.states).says


def follow(result: ResultBase, known: Outcomes, timeout: float) -> Followed:
    """Show a bar until a result is ready, and return how it ended; a failure is not raised.

    Parameters
    ----------
    result
        Of one task, whose own progress is followed, or of a canvas, whose tasks are counted.
    known
        What is known of the tasks behind it.
    timeout
        Seconds.

    Raises
    ------
    Timeout
        It was not ready by then; the tasks go on.
    LabError
        It is no result.
    """
    from celery.result import ResultBase

    if not isinstance(result, ResultBase):
        raise LabError(texts.NO_RESULT.format(kind=type(result).__name__))
    call = known.call
    every = list(tasks(result, call))
    single = every[0] if len(every) == 1 else None
    title = call(every[0].id).name if single else texts.TASKS.format(n=len(every))
    bar = _Bar(texts.FOLLOWING.format(name=title))
    found: dict[str, dict[str, Any]] = {each.id: {"status": "PENDING", "result": None} for each in every}
    says: list[str] = []
    deadline = time.monotonic() + timeout
    ended = False
    while True:
        for each in every:
            if found[each.id]["status"] not in READY_STATES:
                found[each.id] = meta(each)
        states = tuple(found[each.id]["status"] for each in every)
        how = progress_of(found[single.id]) if single else _counted(states)
        bar.show(how)
        if how.says not in says[-1:]:
            says.append(how.says)
        # once more after the end: the states of a canvas are not read at one moment
        if ended:
            break
        if ended := _ended(result, found):
            known.settle(result)
        if time.monotonic() > deadline:
            raise Timeout(texts.NOT_FOLLOWED.format(name=title, seconds=f"{timeout:g}", how=how.says))
        if not ended:
            time.sleep(PAUSE)
    last = found[every[-1].id]
    failed = last["status"] in BAD and result.id in found
    # the id in a ChordError differs from run to run
    problem = UUID.sub(texts.COMES, repr(last["result"])) if failed else None
    return Followed(call(every[-1].id).name, states, tuple(says) if single else (), problem)


def _ended(result: ResultBase, found: dict[str, dict[str, Any]]) -> bool:
    """Say whether nothing more will come: steps behind one that failed never run."""
    return all(found[end.id]["status"] in READY_STATES for end in ends(result))


def _counted(states: Sequence[str]) -> Progress:
    done = sum(state in READY_STATES for state in states)
    failed = sum(state in BAD for state in states)
    text = texts.FOLLOWED_TASKS_FAILED if failed else texts.FOLLOWED_TASKS
    return Progress(done / len(states), text.format(done=done, n=len(states), failed=failed))


class _Bar:
    """A progress bar with what it says beside it, in a notebook; elsewhere its title alone."""

    def __init__(self, title: str) -> None:
        from IPython.display import display
        from ipywidgets import FloatProgress, HBox, Label  # type: ignore[import-untyped]

        self._says = Label()
        self._bar = FloatProgress(min=0.0, max=1.0, description_allow_html=False)
        self._bar.tooltip = title
        bundle = HBox([Label(title), self._bar, self._says])._repr_mimebundle_()
        display({**bundle, "text/plain": title}, raw=True)  # type: ignore[no-untyped-call]

    def show(self, progress: Progress) -> None:
        """Move the bar."""
        self._bar.value = progress.done
        self._bar.bar_style = "danger" if progress.says in BAD else ("success" if progress.done == 1 else "")
        self._says.value = progress.says
