"""Dead letters: tasks that have failed for good, kept so that somebody can look, mend and replay.

``install(app)`` catches them, ``DeadLetters`` keeps them, ``replay`` sends them again.
"""

from typing import TYPE_CHECKING

from labtasks.dead_letters.hooks import Hooks, install
from labtasks.dead_letters.kinds import KINDS, STATES
from labtasks.lazily import parts

if TYPE_CHECKING:
    from labtasks.dead_letters.filter import ALL, BadTime, Filter, moment
    from labtasks.dead_letters.letter import DeadLetter, NotReplayable, pack
    from labtasks.dead_letters.replaying import Replayed, ReplayRefused, replay, replay_all
    from labtasks.dead_letters.store import NAME, DeadLetters, NoSuchLetter, StoreError, default_store

__all__ = [
    "ALL",
    "KINDS",
    "NAME",
    "STATES",
    "BadTime",
    "DeadLetter",
    "DeadLetters",
    "Filter",
    "Hooks",
    "NoSuchLetter",
    "NotReplayable",
    "ReplayRefused",
    "Replayed",
    "StoreError",
    "default_store",
    "install",
    "moment",
    "pack",
    "replay",
    "replay_all",
]

_PARTS = {
    "filter": ("ALL", "BadTime", "Filter", "moment"),
    "letter": ("DeadLetter", "NotReplayable", "pack"),
    "replaying": ("Replayed", "ReplayRefused", "replay", "replay_all"),
    "store": ("NAME", "DeadLetters", "NoSuchLetter", "StoreError", "default_store"),
}

# loaded when asked for: a worker that starts needs the hooks alone
__getattr__ = parts(__name__, _PARTS)
