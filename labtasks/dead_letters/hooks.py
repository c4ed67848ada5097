"""Catch what fails for good, in a worker of any Celery app.

Which signal Celery sends, and in which process, differs from failure to failure; some come
twice. What nothing is sent for, nobody can catch: a worker that is killed as a whole (its
messages come back if they are acknowledged late), and a message whose JSON is broken.
"""

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from celery import signals

from labtasks.alerts import send_alert
from labtasks.dead_letters.kinds import KINDS, NO_TASK, NOT_REGISTERED, REFUSED_CONTENT

# at a worker's start nothing else is loaded: Keeper and causes are, when something has failed
if TYPE_CHECKING:
    from celery import Celery

    from labtasks.dead_letters.keeper import Keeper
    from labtasks.dead_letters.store import DeadLetters

Send = Callable[..., Any]
SOON = 1.0  # s


def install(
    app: "Celery",
    store: "DeadLetters | Callable[[], DeadLetters] | None" = None,
    *,
    kinds: Collection[str] = KINDS,
    alert: Send | None = send_alert,
    spool: Path | None = None,
) -> "Hooks":
    """Keep every task of an app that fails for good.

    Call it where the app is made. A task that succeeds costs a few microseconds more.

    Parameters
    ----------
    app
        The app; what fails in other apps of the process is none of its business.
    store
        Where to, or a function that says so when it is first needed; what the settings name
        if not given.
    kinds
        Which kinds of failure; all if not given.
    alert
        Called once for each new letter, with a line of text and details by name; tried again
        later if it raises. ``None`` for no alerts.
    spool
        Folder for letters while the store is away; one in ``CELERYLAB_WORK_FOLDER`` if not given.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"no such kinds: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    hooks = Hooks(app, store, frozenset(kinds), alert, spool)
    hooks.connect()
    return hooks


class Hooks:
    """What Celery calls when something fails; see ``install``."""

    def __init__(
        self,
        app: "Celery",
        store: "DeadLetters | Callable[[], DeadLetters] | None",
        kinds: frozenset[str],
        alert: Send | None,
        spool: Path | None,
    ) -> None:
        self.app, self.kinds = app, kinds
        self._given = store, alert, spool
        self._received: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._handlers = {
            signals.task_failure: self._on_failure,
            signals.task_internal_error: self._on_internal_error,
            signals.task_revoked: self._on_revoked,
            signals.task_unknown: self._on_unknown,
            signals.task_rejected: self._on_rejected,
            signals.task_received: self._on_received,
            signals.worker_ready: self._on_ready,
        }

    def connect(self) -> None:
        """Begin to catch."""
        for signal, handler in self._handlers.items():
            # not weakly: nobody else holds these methods
            signal.connect(handler, weak=False, dispatch_uid=("dead letters", id(self.app)))

    def disconnect(self) -> None:
        """Catch nothing more."""
        for signal in self._handlers:
            signal.disconnect(dispatch_uid=("dead letters", id(self.app)))

    @cached_property
    def keeper(self) -> "Keeper":
        """What keeps letters."""
        from labtasks.dead_letters.keeper import Keeper

        return Keeper(*self._given)

    def _on_received(self, request: Any, **_: object) -> None:
        # the only thing done for every task; whose request it is, is looked at when it fails
        self._received[request.id] = request

    def _on_failure(self, sender: Any, task_id: str, exception: Any, **known: Any) -> None:
        if self._ours(sender):
            from labtasks.dead_letters import causes

            self._keep(lambda: causes.failed(sender, task_id, exception, known, self._received))

    def _on_internal_error(self, sender: Any, task_id: str, exception: Any, **known: Any) -> None:
        if self._ours(sender):
            from labtasks.dead_letters import causes

            self._keep(lambda: causes.broken(sender, task_id, exception, known))

    def _on_revoked(self, sender: Any, request: Any, **how: Any) -> None:
        if self._ours(sender):
            from labtasks.dead_letters import causes

            self._keep(lambda: causes.revoked(sender, request, how))

    def _on_unknown(self, sender: Any, message: Any, exc: Any, **_: object) -> None:
        self._keep_message(sender, message, NOT_REGISTERED, exc)

    def _on_rejected(self, sender: Any, message: Any, exc: Any, **_: object) -> None:
        self._keep_message(sender, message, NO_TASK if exc is None else REFUSED_CONTENT, exc)

    def _on_ready(self, sender: Any, **_: object) -> None:
        if self._ours(sender):
            # not now, when everybody waits for the worker; in its main process, from which it forks
            sender.timer.call_after(SOON, self._watch)

    def _watch(self) -> None:
        self.keeper.watch()

    def _keep_message(self, consumer: Any, message: Any, kind: str, error: object) -> None:
        if self._ours(consumer):
            from labtasks.dead_letters import causes

            self._keep(lambda: causes.unread(consumer, message, kind, error))

    def _keep(self, make: Callable[[], Any]) -> None:
        self.keeper.keep(make, self.kinds)

    def _ours(self, sender: Any) -> bool:
        return getattr(sender, "app", None) is self.app
