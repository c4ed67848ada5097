"""What can't be done at once: letters from the spool to the store, and alerts to people."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from celery.utils.log import get_logger

from labtasks import http
from labtasks.alerts import send_alert
from labtasks.dead_letters.letter import DeadLetter
from labtasks.dead_letters.spool import Spool
from labtasks.dead_letters.store import DeadLetters, StoreError
from labtasks.settings import settings

logger = get_logger(__name__)

Send = Callable[..., Any]
EVERY = 1.0  # s between two looks of a worker's main process
TRIM_EVERY = 60.0  # s
LEASE = 60.0  # s that one process has for an alert; longer than any request takes
WAITS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)  # s before an alert is tried again

# A pool process that is forked while another thread loads a module could never load that module.
_loading = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
    )


class Courier:
    """A thread of a worker's main process, so that neither tasks nor the worker wait for it.

    Processes of the pool have none: one that is killed while it sends an alert would leave
    nobody who knows whether it has arrived.

    Parameters
    ----------
    store, spool
        Letters go from the spool to the store.
    alert
        Called with a line of text and details by name; ``None`` if nobody wants alerts.
    """

    def __init__(self, store: DeadLetters, spool: Spool, alert: Send | None) -> None:
        self._store, self._spool, self._alert = store, spool, alert
        self._due = threading.Event()
        self._process: int | None = None  # the one that has the thread
        self._trim_at = time.monotonic() + TRIM_EVERY

    def watch(self) -> None:
        """Look every second for what is to be done, as long as this process lives."""
        if self._process != os.getpid():
            self._process = os.getpid()
            threading.Thread(target=self._run, name="dead-letters", daemon=True).start()

    def kick(self) -> None:
        """Look at once, if this is the process that looks."""
        if self._process == os.getpid():
            self._due.set()

    def store(self, letter: DeadLetter) -> bool:
        """Store a letter, its alert with it; say whether it is new."""
        return self._store.add(letter, alert=self._alert is not None)

    def look(self) -> None:
        """Empty the spool, send the alerts that are due, let go of what is too old."""
        try:
            if self._spool.waiting():
                self._spool.empty(self.store)
            if self._alert:
                self._send_alerts(self._alert)
            if time.monotonic() >= self._trim_at:
                self._trim_at = time.monotonic() + TRIM_EVERY
                self._store.trim()
        except StoreError as away:
            logger.debug("%s", away)  # it will be back
        except Exception:
            logger.exception("dead letters: what could not be done now is tried again")

    def _run(self) -> None:
        while True:
            self._due.clear()
            self.look()
            self._due.wait(EVERY)

    def _send_alerts(self, alert: Send) -> None:
        if not self._store.alerts_waiting():
            return
        if alert is send_alert and settings().alert_url:
            with _loading:
                http.trust()
        while taken := self._store.take_alert(LEASE):
            letter = taken.letter
            try:
                alert(headline(letter), **details(letter))
            except Exception as error:  # noqa: BLE001  # alerting may fail in any way
                self._store.alert_failed(letter.id, WAITS[min(taken.tries, len(WAITS)) - 1])
                logger.warning("the alert of %s is tried again later: %s", letter.id, error)
            else:
                self._store.alert_sent(letter.id)


def headline(letter: DeadLetter) -> str:
    """Say in one line what has happened."""
    what = f"{letter.exception}: {letter.message}" if letter.exception else letter.message
    first, _, _ = what.partition("\n")
    return f"{letter.task or 'a message'} failed for good ({letter.kind}) {first}".strip()


def details(letter: DeadLetter) -> dict[str, Any]:
    """Return what an alert carries besides; the task's id is the same if an alert comes twice."""
    return {
        "id": letter.id,
        "task": letter.task,
        "kind": letter.kind,
        "exception": letter.exception,
        "queue": letter.queue,
        "node": letter.node,
        "failed_at": letter.when.isoformat(),
        "replay_of": letter.replay_of,
    }
