"""What is worth an alert: what somebody must do something about, and nothing that passes by itself.

A long queue that moves is a busy day. A message that waits too long is late, whatever the length.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from labtasks.watch.facts import Facts


class Rule(Protocol):
    """Anything with these four."""

    @property
    def name(self) -> str:
        """Under which its incidents are kept; each rule its own."""

    @property
    def looks(self) -> int:
        """In how many looks in a row it must be found, before anybody is told."""

    @property
    def asks(self) -> bool:
        """Whether workers must be asked; all looks then wait for their answers."""

    def found(self, facts: Facts) -> Mapping[str, str]:
        """Return what is wrong, a sentence for each subject, such as a queue."""


class OldestWaits(msgspec.Struct, frozen=True):
    """The oldest message of a queue waits too long: too few workers, or none that gets on.

    Parameters
    ----------
    seconds
        Longer than any message waits on a good day.
    queues
        Names of the queues; all if empty.
    """

    seconds: float = 300.0
    queues: tuple[str, ...] = ()
    looks: int = 1
    name: str = "oldest message"
    asks: bool = False

    def found(self, facts: Facts) -> dict[str, str]:
        """See ``Rule``."""
        return {
            each.queue: f"the oldest message in {each.queue!r} has waited for {each.oldest:.0f} s, "
            f"longer than {self.seconds:g} s; messages that wait: {each.waiting}"
            for each in facts.queues
            if (not self.queues or each.queue in self.queues) and (each.oldest or 0.0) > self.seconds
        }


class Backlog(msgspec.Struct, frozen=True):
    """A queue is so long that the broker's memory is in danger, however fast it moves.

    Parameters
    ----------
    messages
        Far more than on a busy day.
    queues
        Names of the queues; all if empty.
    """

    messages: int = 100_000
    queues: tuple[str, ...] = ()
    looks: int = 1
    name: str = "backlog"
    asks: bool = False

    def found(self, facts: Facts) -> dict[str, str]:
        """See ``Rule``."""
        return {
            each.queue: f"{each.waiting} messages wait in {each.queue!r}, more than {self.messages}"
            for each in facts.queues
            if (not self.queues or each.queue in self.queues) and each.waiting > self.messages
        }


class Failures(msgspec.Struct, frozen=True):
    """A large share of all tasks fails: something that many need is down. One failure is no alert.

    Parameters
    ----------
    share
        Of the tasks that have ended, from 0 to 1.
    seconds
        Of late.
    at_least
        Tasks that must have ended; one of two says nothing.
    """

    share: float = 0.2
    seconds: float = 300.0
    at_least: int = 20
    looks: int = 1
    name: str = "failures"
    asks: bool = False

    def found(self, facts: Facts) -> dict[str, str]:
        """See ``Rule``."""
        if facts.outcomes is None:
            return {}
        ended, failed = facts.outcomes.count(self.seconds)
        if ended < self.at_least or failed <= self.share * ended:
            return {}
        return {"tasks": f"{failed} of {ended} tasks failed within {self.seconds:g} s"}


class NoWorker(msgspec.Struct, frozen=True):
    """No worker answers, or none consumes a queue in which messages wait.

    Parameters
    ----------
    looks
        2, because a worker with ``--pool=solo`` answers nobody while it runs a task.
    """

    looks: int = 2
    name: str = "no worker"
    asks: bool = True

    def found(self, facts: Facts) -> dict[str, str]:
        """See ``Rule``."""
        if facts.workers is None:
            return {}
        if not facts.workers:
            return {"workers": "no worker answers"}
        consumed = {queue for queues in facts.workers.values() for queue in queues}
        return {
            each.queue: f"no worker consumes {each.queue!r}, where messages wait: {each.waiting}"
            for each in facts.queues
            if each.waiting and each.queue not in consumed
        }


RULES: tuple[Rule, ...] = (NoWorker(), OldestWaits(), Backlog(), Failures())
