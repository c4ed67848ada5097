"""A canvas as a tree: steps, one after the other or side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celerylab.errors import LabError
from celerylab.views import texts
from celerylab.views.sent import Call, signature_call

if TYPE_CHECKING:
    from celery.result import AsyncResult, ResultBase

BAD = ("FAILURE", "REVOKED", "REJECTED")


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    state
        One of Celery's, or the task's own.
    result
        As shown, or the exception's name; ``None`` if there is none yet.
    ran
        Seconds, if known.
    """

    state: str
    result: str | None = None
    ran: float | None = None


@dataclass(frozen=True)
class Step:
    """One task. ``first``: no value comes to it from a step before."""

    call: Call
    first: bool
    outcome: Outcome | None = None

    @property
    def arguments(self) -> str:
        """The arguments, with an ellipsis for the value that comes from the step before."""
        comes = not self.first and self.call.takes_result
        return ", ".join(([texts.COMES] if comes else []) + list(self.call.args))

    def __str__(self) -> str:
        shown = f"{self.call.name}({self.arguments})"
        return f"{shown} {self.outcome.state}" if self.outcome else shown


@dataclass(frozen=True)
class Folded:
    """So many parts of a canvas that are not shown, and how many of their tasks are in each state."""

    n: int
    states: Counter[str]

    def __str__(self) -> str:
        more = texts.MORE.format(n=self.n)
        return f"{more}: {', '.join(self.counts)}" if self.states else more

    @property
    def counts(self) -> list[str]:
        """Each state with its count."""
        return [f"{n} {state}" for state, n in sorted(self.states.items())]


@dataclass(frozen=True)
class Series:
    """One after the other: a chain."""

    parts: tuple[Flow, ...]

    def __str__(self) -> str:
        return texts.THEN.join(map(str, self.parts))


@dataclass(frozen=True)
class Parallel:
    """At the same time: a group, or the header of a chord, ``n`` wide before it was folded."""

    parts: tuple[Flow, ...]
    n: int

    def __str__(self) -> str:
        return f"[{texts.BESIDE.join(map(str, self.parts))}]"


Flow = Step | Folded | Series | Parallel


def line(result: ResultBase, call: Callable[[str], Call]) -> list[ResultBase]:
    """Return the results of a chain in its order, by the last; a group among them is one.

    A result knows what came before it, but for one case: where the body of a chord is a chain,
    Celery drops the steps between its last and the header. They are known from the message.
    """
    found = [result]
    while (before := _before(found[0], call)) is not None:
        found.insert(0, before)
    return found


def _before(result: ResultBase, call: Callable[[str], Call]) -> ResultBase | None:
    from celery.result import AsyncResult, GroupResult

    after = None if isinstance(result, GroupResult) else call(result.id).after
    if after is None or (result.parent is not None and result.parent.id == after):
        return result.parent
    dropped = AsyncResult(after, backend=result.backend, app=result.app)
    dropped.parent = result.parent
    return dropped


def tasks(result: ResultBase, call: Callable[[str], Call]) -> Iterator[AsyncResult[Any]]:
    """Give the result of each task of a canvas, by the result of the whole."""
    from celery.result import GroupResult

    for each in line(result, call):
        if isinstance(each, GroupResult):
            for one in each.results:
                yield from tasks(one, call)
        else:
            yield each


def ends(result: ResultBase) -> Iterator[AsyncResult[Any]]:
    """Give the results of the last tasks of a canvas: one, or one for each line of a group."""
    from celery.result import GroupResult

    if isinstance(result, GroupResult):
        for each in result.results:
            yield from ends(each)
    else:
        yield result


def steps(flow: Flow) -> Iterator[Step]:
    """Give all steps of a canvas, from left to right."""
    if isinstance(flow, Step):
        yield flow
    elif isinstance(flow, Series | Parallel):
        for part in flow.parts:
            yield from steps(part)


def from_signature(signature: Any, *, first: bool = True) -> Flow:
    """Return the tree of a signature.

    Parameters
    ----------
    signature
        Of a task, chain, group or chord, nested at will.
    first
        Whether no value comes to it.

    Raises
    ------
    LabError
        It is no signature.
    """
    from celery.canvas import Signature, chunks, maybe_signature

    if isinstance(signature, Mapping) and "task" in signature and not isinstance(signature, Signature):
        signature = maybe_signature(dict(signature))
    if not isinstance(signature, Signature):
        raise LabError(texts.NO_CANVAS.format(kind=type(signature).__name__))
    if isinstance(signature, chunks):
        signature = signature.group()
    kind = signature.get("subtask_type")
    if kind == "group":
        return _beside(list(signature.tasks), first)
    if kind == "chord":
        header = signature.tasks
        header = list(header.tasks) if isinstance(header, Signature) else list(header)
        body = [signature.body] if signature.body else []
        return _series([_beside(header, first), *(from_signature(each, first=False) for each in body)])
    if kind == "chain":
        return _series(
            [from_signature(each, first=first and not n) for n, each in enumerate(signature.tasks)]
        )
    return Step(signature_call(signature), first)


def _beside(tasks: Sequence[Any], first: bool) -> Flow:
    return _parallel([from_signature(each, first=first) for each in tasks])


def from_result(
    result: ResultBase,
    call: Callable[[str], Call],
    outcome: Callable[[AsyncResult[Any]], Outcome],
) -> Flow:
    """Return the tree of what was sent, by its result.

    Parameters
    ----------
    result
        What ``apply_async`` returned: results know what they came from. One made from an id
        alone does not.
    call
        Gives the call of a task id.
    outcome
        Gives what became of a task.
    """
    from celery.result import GroupResult

    def tree(result: ResultBase, first: bool) -> Flow:
        parts: list[Flow] = []
        for each in line(result, call):
            starts = first and not parts
            if isinstance(each, GroupResult):
                parts.append(_parallel([tree(one, starts) for one in each.results]))
            else:
                parts.append(Step(call(each.id), starts, outcome(each)))
        return _series(parts)

    return tree(result, first=True)


def _series(parts: Sequence[Flow]) -> Flow:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Series) else [part])]
    return flat[0] if len(flat) == 1 else Series(tuple(flat))


def _parallel(parts: Sequence[Flow]) -> Flow:
    # as Celery does: a group in a group is one group
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Parallel) else [part])]
    return Parallel(tuple(flat), len(flat))


def fold(flow: Flow, long: int, wide: int) -> Flow:
    """Return the canvas with at most so many parts of each series and each group.

    What failed stays in sight.

    Parameters
    ----------
    long, wide
        Parts of a series, and of a group; 3 or more.
    """
    if isinstance(flow, Series):
        return Series(tuple(_gaps([fold(part, long, wide) for part in flow.parts], long)))
    if isinstance(flow, Parallel):
        return Parallel(tuple(_gaps([fold(part, long, wide) for part in flow.parts], wide)), flow.n)
    return flow


def _gaps(parts: Sequence[Flow], most: int) -> Iterator[Flow]:
    if len(parts) <= most:
        yield from parts
        return
    seen = [*range(most - 2), len(parts) - 1]
    failed = next((n for n, part in enumerate(parts) if _states(part).keys() & set(BAD)), None)
    if failed is not None and failed not in seen:
        seen[most - 3] = failed
    at = 0
    for n in sorted(seen):
        if n - at > 1:
            yield Folded(n - at, sum((_states(part) for part in parts[at:n]), Counter()))
        else:
            yield from parts[at:n]
        yield parts[n]
        at = n + 1


def _states(flow: Flow) -> Counter[str]:
    if isinstance(flow, Folded):
        return flow.states
    if isinstance(flow, Step):
        return Counter([flow.outcome.state] if flow.outcome else [])
    return sum((_states(part) for part in flow.parts), Counter())
