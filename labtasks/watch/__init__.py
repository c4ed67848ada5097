"""Somebody who looks at queues, failures and workers, and tells a person: once, and when it is over.

``install(app)`` has Beat do it, which no busy queue and no dead worker holds up. A ``Watchman``
can be asked from anywhere else, too.
"""

from typing import TYPE_CHECKING, Any

from celery import signals

from labtasks.lazily import parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celery import Celery

    from labtasks.watch.facts import Facts, Outcomes
    from labtasks.watch.incidents import Incident, Incidents
    from labtasks.watch.rules import RULES, Backlog, Failures, NoWorker, OldestWaits, Rule
    from labtasks.watch.watchman import Watchman

__all__ = [
    "RULES",
    "Backlog",
    "Facts",
    "Failures",
    "Incident",
    "Incidents",
    "NoWorker",
    "OldestWaits",
    "Outcomes",
    "Rule",
    "Watchman",
    "install",
]

_PARTS = {
    "facts": ("Facts", "Outcomes"),
    "incidents": ("Incident", "Incidents"),
    "rules": ("RULES", "Backlog", "Failures", "NoWorker", "OldestWaits", "Rule"),
    "watchman": ("Watchman",),
}


def install(app: "Celery", rules: "Sequence[Rule] | None" = None, *, every: float | None = None) -> None:
    """Have the Beat of an app look, as long as it runs.

    Call it where the app is made; workers and producers do nothing. Who looks whether Beat runs is
    another question: let what starts it restart it, and something outside ask it for a ping.

    Parameters
    ----------
    app
        Its broker, its queues and its workers are looked at.
    rules
        What is worth an alert; ``RULES`` if not given.
    every
        Seconds between two looks; ``CELERYLAB_WATCH_SECONDS`` if not given. 0: none.
    """

    def start(sender: Any, **_: object) -> None:
        if sender.app is app:
            from labtasks.settings import settings
            from labtasks.watch.watchman import Watchman

            seconds = settings().watch_seconds if every is None else every
            if seconds > 0:
                Watchman(app, rules).watch(seconds)

    signals.beat_init.connect(start, weak=False, dispatch_uid=("watch", id(app)))


# loaded when asked for: a worker that starts needs none of it
__getattr__ = parts(__name__, _PARTS)
