"""The faults that the lab brings about, each at a moment that it has chosen and can prove.

A kill at just any moment could lose a message of the best service there is: Redis hands a message
to a worker, and the worker writes it into ``unacked`` a moment later. Between the two it is in
neither place. So a worker is killed only while it can't be there: it holds as many unacknowledged
messages as it may, all its processes are busy, and therefore it asks Redis for no other. Nor is it
killed while it gives back messages of another: its lock would keep them where they are for 5 minutes.
Source: ``unacked_mutex_expire`` of kombu's Redis transport, ``kombu/transport/redis.py``. The broker
is restarted only while all running tasks wait for the album: a part that ends while the broker is
away could leave its chord without a body. What is random is who is killed, and at which photo.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from celerylab.faults import pictures
from celerylab.faults.evidence import BULK, LANES, URGENT
from celerylab.faults.rig import PAUSE, PROCESSES, Rig
from celerylab.stack.keys import UNACKED_MUTEX

if TYPE_CHECKING:
    from celerylab.faults.fault_test import FaultTest

FLOOD = 12  # bulk photos
HOLD_TIMEOUT = 20.0  # s until a photo has come as far as the album
WAITS = 2.0  # s that a task may run while the only other one is held, if it does not wait for it
REST = 0.7  # s
STEP = 0.002  # s that a worker moves between two looks
TRIES = 3  # uploads until the moment for a fault is found
SILENCE = 1.0  # s in which nothing runs or waits
TIMEOUT = 20.0  # s


class Faults:
    """Faults for one test.

    Parameters
    ----------
    test
        Uploads and looks.
    rig
        What is broken.
    chance
        Chooses.
    """

    def __init__(self, test: FaultTest, rig: Rig, chance: random.Random) -> None:
        self._test, self._rig, self._chance = test, rig, chance
        self._dead: set[str] = set()  # messages that a killed worker held
        self._rests_since: float | None = None

    def script(self) -> Iterator[Callable[[], None]]:
        """Give the faults, one by one."""
        first, second = self._chance.sample(LANES, 2)
        yield self.hold_a_part
        yield self.flood
        yield lambda: self.kill_at_commit(first, "before")
        yield lambda: self.kill_at_commit(second, "behind")
        yield self.wait_restarted
        yield self.restart_broker
        yield lambda: self.kill_in_the_middle(self._chance.choice(LANES))

    def wait_restarted(self) -> None:
        """Wait until killed workers are back, and know whether they have left messages."""
        self._rig.wait_ready()
        self._test.until(lambda: bool(self._left()) or self._test.over(), TIMEOUT)

    def hold_a_part(self) -> None:
        """Stop one task of a photo in mid-work, and look who else keeps a process meanwhile."""
        self._test.step("smoke")
        for _ in range(TRIES):
            self._test.send(pictures.large, suffix=".png")
            if self._meet(self._test.first_task):
                break
        self._test.settled()

    def flood(self) -> None:
        """Send bulk photos and bad pictures, and an urgent photo behind them."""
        self._test.step("flood")
        album = self._rig.album
        # The urgent photo comes when all bulk photos have come as far as they can before anybody writes
        # to the album. So however fast the machine is, all of them are ahead, and one queue keeps them so.
        album.lock()
        try:
            self._rig.freeze(BULK)  # else the first ones would be through before the last are sent
            self._test.upload(FLOOD // 2)
            self._test.upload_bad()
            self._test.upload(FLOOD // 2)
            self._rig.thaw(BULK)
            self._test.until(lambda: self._all_held(BULK), HOLD_TIMEOUT)
            self._test.upload(1, urgent=True)
            self._rests_since = None
            self._test.until(lambda: self._at_album(URGENT) or self._at_rest(), HOLD_TIMEOUT)
        finally:
            album.unlock()
        self._test.did("flood")
        self._test.settled()
        self._test.wait_alerts()

    def kill_at_commit(self, lane: str, where: str) -> None:
        """Kill a worker whose processes are all at a commit, before or behind it."""
        self._test.step(where, lane=lane)
        album = self._rig.album
        self._rig.wait_ready(lane)
        (album.lock if where == "before" else album.hold_commits)()
        try:
            self._test.upload(PROCESSES, urgent=lane == URGENT)
            if not self._test.until(lambda: self._all_held(lane), HOLD_TIMEOUT):
                self._test.did("missed", lane=lane)
                return
            self._rig.freeze(lane)
            while self._restores():
                self._rig.thaw(lane)
                time.sleep(PAUSE)
                self._rig.freeze(lane)
            self._kill(lane)
            self._test.did(where, lane=lane)
        finally:
            if where == "before":
                album.cut()
                album.unlock()
            else:
                album.let_commits_pass()

    def kill_in_the_middle(self, lane: str) -> None:
        """Kill a worker after so many renditions, wherever it is, if it can't lose a message there."""
        self._test.step("middle", lane=lane)
        self._rig.wait_ready(lane)
        for _ in range(TRIES):
            wanted = self._renditions() + self._chance.randint(1, 2 * PROCESSES)
            self._rig.freeze(lane)
            self._test.upload(2 * PROCESSES, urgent=lane == URGENT)
            # in steps of a moment, each looked at while nothing moves
            while self._at_work(lane):
                self._rig.thaw(lane)
                time.sleep(STEP)
                self._rig.freeze(lane)
                full = len(self._held_by(lane)) == PROCESSES
                if full and self._renditions() >= wanted and not self._restores():
                    self._kill(lane)
                    self._test.did("middle", lane=lane)
                    return
            self._rig.thaw(lane)
        self._test.did("missed", lane=lane)

    def restart_broker(self) -> None:
        """Restart the broker while all running tasks wait for the album, and messages wait for a worker."""
        self._test.step("broker")
        lane = self._chance.choice(LANES)
        album = self._rig.album
        self._rig.wait_ready()
        album.lock()
        try:
            self._test.upload(2 * PROCESSES, urgent=lane == URGENT)
            if self._test.until(lambda: self._all_held(lane), HOLD_TIMEOUT):
                self._rig.broker.restart()
                self._test.did("broker")
            else:
                self._test.did("missed", lane=lane)
        finally:
            album.unlock()
        self._rig.wait_ready()

    # -- how ----------------------------------------------------------------------------

    def _kill(self, lane: str) -> None:
        self._dead |= {each.tag for each in self._test.messages() if each.tag and each.queue == lane}
        self._rig.kill(lane)
        self._rig.workers[lane].spawn()

    def _held_by(self, lane: str) -> list[str]:
        """Return the messages that a worker holds, without those that a dead one has left."""
        held = [each.tag for each in self._test.messages() if each.tag and each.queue == lane]
        return [tag for tag in held if tag not in self._dead]

    def _restores(self) -> bool:
        """Say whether a worker is giving back messages of a dead one."""
        return bool(self._rig.asking(lambda client: client.exists(UNACKED_MUTEX)))

    def _left(self) -> list[str]:
        """Return the messages that dead workers have left, and that have not come back yet."""
        return [each.tag for each in self._test.messages() if each.tag in self._dead]

    def _at_work(self, lane: str) -> bool:
        return any(each.queue == lane and each.tag not in self._dead for each in self._test.messages())

    def _renditions(self) -> int:
        return sum(1 for _ in self._rig.photos.glob("*_*x*.*"))

    def _running(self) -> list[tuple[str, str, int]]:
        active = self._rig.active() or {}
        return [(one["id"], one["name"], one["worker_pid"]) for each in active.values() for one in each]

    def _meet(self, first: str | None) -> bool:
        """Hold a task other than the first of a photo, as soon as one runs; say whether one was met."""
        heard = time.monotonic()
        while time.monotonic() - heard < SILENCE:
            running = self._running()
            parts = [(pid, name) for task_id, name, pid in running if task_id != first]
            if parts and self._hold(*parts[0]):
                return True
            if running or any(each.queue in LANES for each in self._test.messages()):
                heard = time.monotonic()
        return False

    def _hold(self, pid: int, name: str) -> bool:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        try:
            deadline, others = time.monotonic() + WAITS, [""]
            while others and time.monotonic() < deadline:
                found = self._running()
                if pid not in [each for *_, each in found]:
                    return False  # it had ended already
                # other parts of the photo may still have work to do
                others = [other for _, other, its_pid in found if its_pid != pid and other != name]
                time.sleep(PAUSE)
            self._test.looked(others)
            return True
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _all_held(self, lane: str) -> bool:
        """Say whether every process of a worker waits for the album, and its main process knows."""
        active = self._rig.active(lane)
        if active is None or len(active[lane]) < PROCESSES:
            return False
        others = [each for each in LANES if each != lane]
        # a worker that is not up yet runs nothing
        elsewhere = self._rig.active(*others) or {}
        return self._rig.album.held() == PROCESSES + sum(map(len, elsewhere.values()))

    def _at_album(self, lane: str) -> bool:
        """Say whether a worker's tasks wait for the album, as all others that run."""
        active = self._rig.active()
        if not active or not active[lane]:
            return False
        return self._rig.album.held() == sum(map(len, active.values()))

    def _at_rest(self) -> bool:
        """Say whether nothing can move before the album lets it.

        For a while, since a message that is on its way to a worker is nowhere to be seen.
        """
        if not self._rests():
            self._rests_since = None
            return False
        self._rests_since = self._rests_since or time.monotonic()
        return time.monotonic() - self._rests_since > REST

    def _rests(self) -> bool:
        waiting = {each.queue for each in self._test.messages() if each.tag is None}
        active = self._rig.active()
        if active is None or self._rig.album.held() != sum(map(len, active.values())):
            return False
        return all(len(active[lane]) == PROCESSES for lane in waiting & set(LANES))
