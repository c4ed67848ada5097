"""Keep dead letters, whatever happens: in the store, or on the disk, or in the log."""

import time
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

from celery.utils.log import get_logger

from labtasks.dead_letters.courier import Courier, Send
from labtasks.dead_letters.letter import DeadLetter
from labtasks.dead_letters.spool import Spool
from labtasks.dead_letters.store import DeadLetters, default_store
from labtasks.files import SPOOL
from labtasks.settings import settings

logger = get_logger(__name__)

AWAY = 5.0  # s for which a store that did not answer is not asked again


class Keeper:
    """The store, the spool, and the courier between them.

    Parameters
    ----------
    store, alert, spool
        As of ``install``.
    """

    def __init__(
        self, store: DeadLetters | Callable[[], DeadLetters] | None, alert: Send | None, spool: Path | None
    ) -> None:
        self._given, self._alert, self._folder = store, alert, spool
        self._away_until = 0.0

    @cached_property
    def store(self) -> DeadLetters:
        """Where letters lie."""
        if isinstance(self._given, DeadLetters):
            return self._given
        return (self._given or default_store)()

    @cached_property
    def spool(self) -> Spool:
        """Where they wait for the store."""
        return Spool(self._folder or settings().work_folder / SPOOL / self.store.name)

    @cached_property
    def courier(self) -> Courier:
        """Who does what can't be done at once."""
        return Courier(self.store, self.spool, self._alert)

    def keep(self, make: Callable[[], DeadLetter | None], kinds: Collection[str]) -> None:
        """Keep what a function makes, if it is of these kinds; never raise.

        A signal's handler that raises is logged, and what it was about is lost.
        """
        letter = None
        try:
            letter = make()
            if letter is not None and letter.kind in kinds:
                self._keep(letter)
        except Exception:
            # the log is the last place that is left
            logger.critical("a dead letter can't be kept: %s", letter and letter.dump(), exc_info=True)

    def watch(self) -> None:
        """Look every few seconds for what is to be done, as long as this process lives."""
        try:
            self.courier.watch()
        except Exception:
            logger.critical("dead letters can't be kept as things are", exc_info=True)

    def _keep(self, letter: DeadLetter) -> None:
        if time.monotonic() >= self._away_until:
            try:
                self.courier.store(letter)
                self.courier.kick()
                return
            except Exception as error:  # noqa: BLE001  # whatever is wrong with the store, the letter stays
                self._away_until = time.monotonic() + AWAY
                logger.error("dead letters go to the disk for now: %s", error)
        self.spool.write(letter)
