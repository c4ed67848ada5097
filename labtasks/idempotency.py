"""Tasks that may be delivered twice and run once: equal calls share one run and its result."""

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar, overload

from celery import Task
from celery._state import get_current_task
from celery.exceptions import Reject, Retry
from celery.local import Proxy
from celery.utils.log import get_task_logger
from kombu.utils import json as kombu_json

from labtasks.claims import Claims, ClaimsAway, claims

logger = get_task_logger(__name__)

DAY = 86_400.0  # s
PREFIX = "idempotent"
# what stands under a key, in Redis: an owner, or a result; so a result of None is one, too
OWNER, RESULT = b"owner ", b"result "

_dumps: Callable[[object], str] = kombu_json.dumps
_loads: Callable[[bytes], Any] = kombu_json.loads

P = ParamSpec("P")
R = TypeVar("R")
Held = Literal["retry", "raise"]


class IdempotencyError(Exception):
    """Of everything that this module raises, ``ClaimsAway`` apart."""


class InProgress(IdempotencyError):
    """An equal call runs at this moment; nothing was done."""


class NoKey(IdempotencyError, ValueError):
    """The arguments can't be made into a key, because JSON can't take them."""


class NoResult(IdempotencyError, ValueError):
    """What the task returned can't be stored, because JSON can't take it."""


class NotItsTask(IdempotencyError, TypeError):
    """A guarded function was called, and not the task that it was made for."""


@overload
def idempotent_task(func: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def idempotent_task(
    *,
    expires: float | timedelta = ...,
    lease: float | timedelta = ...,
    wait: float | timedelta = ...,
    held: Held = ...,
    key: Callable[..., object] | None = ...,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def idempotent_task(
    func: Callable[P, R] | None = None,
    /,
    *,
    expires: float | timedelta = DAY,
    lease: float | timedelta = 30.0,
    wait: float | timedelta = 5.0,
    held: Held = "retry",
    key: Callable[..., object] | None = None,
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Let equal calls of a task run once, however often they are sent or delivered.

    It stands directly above the function, below ``@app.task``::

        @app.task(bind=True, acks_late=True)
        @idempotent_task(expires=3600)
        def book(self, order, amount): ...

    The first call claims a key in Redis, runs, and stores its result there. An equal call that
    comes later returns that result. One that comes meanwhile does not run; it is sent again, as
    by ``self.retry`` but without using up a retry, and finds the result then. A call that fails,
    or retries itself, gives the key free, so that it may run again.

    Who holds a key holds it for ``lease`` seconds, and renews that while it runs. So a task may
    run for longer than its lease; and when its worker was killed, the next delivery takes over
    once the lease has ended. The task id is no shortcut: a message whose visibility timeout has
    passed is delivered with the id of a task that still runs.

    While Redis does not answer, the task does not run: it raises ``ClaimsAway``, which
    ``autoretry_for=(ClaimsAway,)`` turns into retries. If Redis goes away during the run, the
    result is returned, not stored, and an error is logged.

    What it can't promise: a process that was frozen for longer than its lease goes on beside the
    one that took over, and a process that was killed between its effect and the stored result
    has its work repeated. An effect that must not happen twice keeps its key where it happens,
    in the same transaction, as ``labtasks.payments`` does. What follows the task in a chain is
    sent again with each delivery. A task that replaces itself has no result to store.

    Parameters
    ----------
    func
        The task's function, with ``self`` if the task is bound.
    expires
        Seconds, or a ``timedelta``, for which a result counts.
    lease
        Seconds for which a call holds its key without a sign of life.
    wait
        Seconds after which a call that met a running one is sent again. Keep it below the
        broker's visibility timeout.
    held
        What a call does that meets a running one: ``"retry"`` sends it again, so no process
        waits; ``"raise"`` raises ``InProgress``, as both do where there is no message to send
        again: in a direct call, or an eager one. To reject it to its queue is no choice: it would
        come back at once, again and again.
    key
        Called with the task's arguments by name, defaults included and ``self`` left out; returns
        what tells calls apart, which JSON must be able to take. By default all arguments do,
        whether they were given by position, by name, or not at all.

    Raises
    ------
    TypeError
        It stands above ``@app.task``, or not above a function.
    ValueError
        An option is out of range.
    """
    given = {"expires": expires, "lease": lease, "wait": wait}
    times = {name: _seconds(name, value) for name, value in given.items()}
    if held not in ("retry", "raise"):
        raise ValueError(f'idempotent_task: held is "retry" or "raise", not {held!r}')

    def decorate(func: Callable[P, R]) -> Callable[P, R]:
        _check_function(func)
        guard = _Guard(func, held=held, key=key, **times)

        @wraps(func)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            return guard(guarded, args, kwargs)  # type: ignore[no-any-return]

        # Celery reads it to refuse wrong arguments where they are sent
        guarded.__signature__ = guard.signature  # type: ignore[attr-defined]
        return guarded

    return decorate if func is None else decorate(func)


def key_of(task: str, arguments: Mapping[str, object]) -> str:
    """Return the key of a call: its task's name, and a hash of its arguments as JSON.

    Arguments that are equal after their journey as a JSON message have equal keys: a tuple and
    a list, or dictionaries in another order. 1 and 1.0 are two.

    Raises
    ------
    NoKey
        Names the arguments that JSON can't take.
    """
    try:
        digest = hashlib.sha256(_canonical(arguments).encode()).hexdigest()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        bad = [name for name, value in arguments.items() if not _encodes(value)]
        what = f"argument {', '.join(bad)}" if bad else "arguments"
        raise NoKey(f"{task}: {what} can't be part of a key: {error}") from None
    return f"{PREFIX}:{task}:{digest}"


class _Guard:
    def __init__(
        self,
        func: Callable[..., Any],
        *,
        expires: float,
        lease: float,
        wait: float,
        held: Held,
        key: Callable[..., object] | None,
    ) -> None:
        self.func, self.key = func, key
        self.expires, self.lease, self.wait, self.held = expires, lease, wait, held
        self.signature = inspect.signature(func)
        self.task: Any = None  # the one that was looked at last

    def __call__(self, guarded: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        task = self._task_of(guarded)
        key = self._key(task, args, kwargs)
        owner = OWNER + f"{task.request.id} {os.urandom(8).hex()}".encode()
        store = claims()
        there = store.claim(key, owner, self.lease)
        if there is None:
            result, there = self._run(store, key, owner, args, kwargs)
            if there is None:
                return result
            logger.warning("%s ran for longer than it held its lease: another has taken it over", task.name)
        if there.startswith(RESULT):
            return _loads(there.removeprefix(RESULT))
        return self._come_back(task, InProgress(f"{task.name}: an equal call runs, {there.decode()}"))

    def _run(
        self, store: Claims, key: str, owner: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, bytes | None]:
        """Return the result, and what stands in its place if another has taken over."""
        with store.keeping(key, owner, self.lease):
            try:
                result = self.func(*args, **kwargs)
                value = RESULT + self._encoded(result)
            except BaseException:  # a Retry, a time limit, a worker that is told to stop
                store.release(key, owner)
                raise
            try:
                return result, store.settle(key, owner, value, self.expires)
            except ClaimsAway as error:
                # it is done: to fail now would only have it done again
                logger.error("the result is not stored, an equal call will run again: %s", error)
                return result, None

    def _encoded(self, result: object) -> bytes:
        try:
            return _dumps(result).encode()
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise NoResult(f"{self.func.__name__} returned what can't be stored: {error}") from None

    def _task_of(self, guarded: Callable[..., Any]) -> Any:
        task = get_current_task()
        if task is None or (task is not self.task and not _made_for(task, guarded)):
            where = f"inside the task {task.name}" if task else "outside of any task"
            raise NotItsTask(
                f"{self.func.__name__} was called {where}, and not as a task: "
                "@app.task must stand above @idempotent_task, and what is called is the task."
            )
        self.task = task
        return task

    def _key(self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        named = dict(bound.arguments)
        if args and args[0] is task:  # self: its text would hold a memory address
            del named[next(iter(named))]
        return key_of(task.name, named if self.key is None else {"key": self.key(**named)})

    def _come_back(self, task: Any, reason: InProgress) -> NoReturn:
        request = task.request
        if self.held == "raise" or request.called_directly or request.is_eager:
            raise reason
        # not self.retry(): to wait for another must not use up the task's own retries
        again = task.signature_from_request(request, countdown=self.wait, retries=request.retries)
        try:
            again.apply_async()
        except Exception as error:  # as self.retry() does
            raise Reject(error, requeue=False) from error
        raise Retry(exc=reason, when=self.wait, sig=again)


def _made_for(task: Any, guarded: Callable[..., Any]) -> bool:
    """Whether a function is the task's own, below other decorators maybe."""
    found = getattr(task, "_orig_run", task.run)  # autoretry_for wraps it
    found = getattr(found, "__func__", found)
    while found is not None and found is not guarded:
        found = getattr(found, "__wrapped__", None)
    return found is not None


def _canonical(value: object) -> str:
    """Return JSON that is the same for all that JSON can't tell apart."""
    text = _dumps(value)
    # there and back: only then are all keys texts, and can be sorted
    return json.dumps(json.loads(text), sort_keys=True)


def _encodes(value: object) -> bool:
    try:
        _canonical(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True


def _check_function(func: object) -> None:
    # by type: what isinstance asks a task that is not finished yet would finish it
    if issubclass(type(func), Proxy | Task):
        raise TypeError("idempotent_task stands above @app.task: write it below, above the function itself")
    if not inspect.isfunction(func) or inspect.iscoroutinefunction(func) or inspect.isgeneratorfunction(func):
        raise TypeError(f"idempotent_task stands above a function that returns its result, not {func!r}")


def _seconds(name: str, value: float | timedelta) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise ValueError(f"idempotent_task: {name} is a number of seconds above 0, not {value!r}")
    return float(seconds)
