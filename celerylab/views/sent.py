"""What this process has sent: the call behind each task id, those of later steps included."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from celerylab.views import texts
from celerylab.views.short import short

KEPT = 20_000  # calls; the oldest are forgotten


@dataclass(frozen=True)
class Call:
    """A task's name and what it is called with.

    Attributes
    ----------
    task
        The task's full name.
    args
        Each argument as shown: ``"4"``, ``"key=4"``.
    takes_result
        Whether it takes the value of the step before it, if there is one: all but immutable
        signatures do.
    after
        Id of the task before it in a chain that was sent along with another task.
    """

    task: str
    args: tuple[str, ...] = ()
    takes_result: bool = True
    after: str | None = None

    @property
    def name(self) -> str:
        """The task's name without its module."""
        return self.task.rpartition(".")[2]


def call_of(task: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, takes_result: bool = True) -> Call:
    """Return a call as it is shown; Celery's own ``map``, ``starmap`` and ``chunks`` as what they do."""
    if task in ("celery.map", "celery.starmap", "celery.chunks"):
        inner = dict(kwargs)["task"]["task"].rpartition(".")[2]
        return Call(task, (inner, texts.ITEMS.format(n=len(list(kwargs["it"])))), takes_result=False)
    shown = *map(short, args), *(f"{name}={short(value)}" for name, value in kwargs.items())
    return Call(task, shown, takes_result)


def signature_call(signature: Mapping[str, Any], after: str | None = None) -> Call:
    """Return the call of a single task's signature."""
    args, kwargs = signature.get("args") or (), signature.get("kwargs") or {}
    call = call_of(signature["task"], args, kwargs, takes_result=not signature.get("immutable"))
    return replace(call, after=after)


class Sent:
    """Calls by task id, of all that this process sends from now on.

    A message carries what follows its task: the rest of a chain, the body of a chord. So the
    calls of steps that only a worker will send are known as well.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self._body: str | None = None

    def listen(self) -> None:
        """Take note of every task that is sent."""
        from celery.signals import before_task_publish

        before_task_publish.connect(self._on_publish, weak=False, dispatch_uid=id(self))

    def close(self) -> None:
        """Take note no more."""
        from celery.signals import before_task_publish

        before_task_publish.disconnect(dispatch_uid=id(self))

    def get(self, task_id: str) -> Call | None:
        """Return the call of a task, if this process sent it or what comes before it."""
        return self._calls.get(task_id)

    def _on_publish(self, sender: str, body: Any, headers: Mapping[str, Any], **_: object) -> None:
        if not isinstance(body, tuple):
            return  # task_protocol = 1: no canvas travels with it
        args, kwargs, embed = body
        self._keep(headers["id"], call_of(sender, args, kwargs))
        follows = embed or {}
        self._keep_body(follows.get("chord"))
        for step in [*(follows.get("chain") or ()), *(follows.get("callbacks") or ())]:
            self._keep_all(step)

    def _keep_body(self, body: Mapping[str, Any] | None) -> None:
        # each task of a chord's header carries the same body: not a thousand times
        if body and (body_id := body["options"].get("task_id")) != self._body:
            self._body = body_id
            self._keep_all(body)

    def _keep_all(self, signature: Mapping[str, Any], after: str | None = None) -> str | None:
        """Keep a canvas; return its id if it is a single task."""
        inner = _parts(signature)
        options = signature.get("options") or {}
        self._keep_body(options.get("chord"))
        if inner is None:
            task_id: str | None = options.get("task_id")
            if task_id:
                self._keep(task_id, signature_call(signature, after))
            return task_id
        before = None
        for each in inner:
            before = self._keep_all(each, before if signature["subtask_type"] == "chain" else None)
        return None

    def _keep(self, task_id: str, call: Call) -> None:
        # a step that this process sends itself is known better than the step as part of a canvas
        self._calls.pop(task_id, None)
        self._calls[task_id] = call
        while len(self._calls) > KEPT:
            self._calls.popitem(last=False)


def _parts(signature: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Return what a canvas consists of; ``None`` for a single task."""
    kwargs = signature.get("kwargs") or {}
    kind = signature.get("subtask_type")
    if kind in ("chain", "group"):
        return list(kwargs["tasks"])
    if kind == "chord":
        header = kwargs["header"]
        body = [kwargs["body"]] if kwargs.get("body") else []
        return [*([header] if isinstance(header, Mapping) else header), *body]
    return None
