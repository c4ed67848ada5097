"""A fault test: photos go in, the lab breaks things, and what comes out is counted."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from celerylab.faults import evidence, pictures, texts
from celerylab.faults.evidence import Evidence, Photo
from celerylab.faults.faults import Faults
from celerylab.faults.judging import complete, judge, too_often, tried
from celerylab.faults.progress import Progress
from celerylab.faults.report import Report
from celerylab.faults.rig import PAUSE, Rig

if TYPE_CHECKING:
    from pathlib import Path

    from celerylab.stack.broker import Broker
    from celerylab.stack.worker import Worker

SENT_TIMEOUT = 30.0  # s for an answer of the API
STUCK = 20.0  # s without any change; a busy machine takes its time
STRANDED = 1.5  # s, where nothing runs and nobody takes what waits
SURE = 1.5  # s of silence
SETTLE = 60.0  # s
ALERTS = 5.0  # s until an alert has come


class FirstFailure(Exception):
    """A claim does not hold, whatever else may happen."""


class FaultTest:
    """A photo service under faults.

    ``run()`` does all of it. In a ``with`` block the service runs, and faults are yours: upload,
    kill, restart, then ``settle()`` and ``report()``. What ends meanwhile is started again, as a
    supervisor would.

    Parameters
    ----------
    rig
        What the service runs on.
    module
        The learner's module, which holds the app and the task ``photos.receive``.
    seed
        Of the choices that ``run()`` makes: which worker, which photo, which order.
    stop
        Whether ``run()`` stops at the first claim that does not hold.

    Attributes
    ----------
    stopping
        Whether whatever waits raises ``FirstFailure`` once a claim can't hold any more. In a
        ``with`` block it does not, unless you say so.
    """

    def __init__(self, rig: Rig, module: str, *, seed: int = 0, stop: bool = True) -> None:
        self.module = module
        self.rig = rig
        self._chance = random.Random(seed)
        self.stopping = False
        self._stop = stop
        self._photos: list[Photo] = []
        self._faults: list[str] = []
        self._looks = 0
        self._parents: list[str] = []
        self._mended: list[str] = []
        self._before: tuple[str, ...] = ()
        self._ended, self._stuck = False, None  # type: bool, float | None
        self._idle_since: float | None = None
        self._stopped = False
        self._kept: Evidence | None = None
        self._progress = Progress(module)

    # -- what runs ----------------------------------------------------------------------

    @property
    def workers(self) -> dict[str, Worker]:
        """The workers, by the queue that each consumes."""
        return self.rig.workers

    @property
    def broker(self) -> Broker:
        """The broker of the service."""
        return self.rig.broker

    @property
    def parents(self) -> list[str]:
        """Tasks that were seen waiting for another."""
        return sorted(set(self._parents))

    @property
    def folder(self) -> Path:
        """Where the service keeps its pictures."""
        return self.rig.photos

    @property
    def database_url(self) -> str:
        """Address of the database, with password, as psycopg reads it."""
        return self.rig.album.url

    @property
    def album(self) -> list[str]:
        """The photo of each row of the album, oldest first."""
        return self.rig.album.photos()

    def __enter__(self) -> Self:
        self.step("start")
        try:
            self.rig.start(self.module)
        except BaseException:
            self.rig.stop()
            self._progress.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept is None:
            self._kept = self._gather()
        self.rig.stop()
        self._progress.end()

    def run(self) -> Report:
        """Start the service, put it under every fault, and report."""
        with self:
            faults = Faults(self, self.rig, self._chance)
            self.stopping = self._stop
            try:
                for fault in faults.script():
                    fault()
                    self._check()
                self.settle()
                self._check()
                self.mend()
            except FirstFailure:
                self._stopped = True
            return self.report()

    # -- photos ---------------------------------------------------------------------------

    def upload(self, n: int = 1, *, urgent: bool = False) -> list[str]:
        """Upload so many good photos; return their names."""
        return [self.send(pictures.good, urgent=urgent) for _ in range(n)]

    def upload_bad(self) -> list[str]:
        """Upload a file of each kind that is no picture; return their names."""
        return [self.send(bad, good=False) for bad in pictures.BAD]

    def send(
        self, make: Callable[[int], bytes], *, urgent: bool = False, good: bool = True, suffix: str = ".jpg"
    ) -> str:
        """Upload one picture, made from its number; return its name."""
        import httpx

        number = len(self._photos) + 1
        name = f"photo-{number:02}{suffix}"
        behind: tuple[str, ...] = ()
        if urgent:
            there = set(self.album)
            bulk = (photo.name for photo in self._photos if photo.good and not photo.urgent)
            behind = tuple(each for each in bulk if each not in there)
        answer = httpx.put(
            f"{self.rig.api.url}/photos/{name}",
            params={"urgent": "true"} if urgent else {},
            content=make(number),
            headers={"X-API-Key": self.rig.key},
            timeout=SENT_TIMEOUT,
        )
        task_id = answer.json().get("id") if answer.status_code == 202 else None
        self._photos.append(Photo(name, urgent, good, answer.status_code, task_id, behind))
        self._ended, self._stuck = False, None
        return name

    # -- wait and look ----------------------------------------------------------------------

    def settle(self, timeout: float = SETTLE) -> None:
        """Return when nothing waits and nothing runs any more, or when nothing moves any more."""
        self.step("settle")
        deadline, moved, last = time.monotonic() + timeout, time.monotonic(), None
        while not self.over():
            now = time.monotonic()
            known = self._moving()
            active = self.rig.active()
            # a worker that is being started moves nothing, and will
            if known != last or active is None:
                last, moved = known, now
            # what lies in a queue that nobody takes from will not move
            runs = any((active or {}).values())
            patience = STUCK if runs or self._in_lanes() else STRANDED
            if now - moved > patience or now > deadline:
                self._stuck = round(now - moved)
                return
            self.look()
            time.sleep(PAUSE)

    def over(self) -> bool:
        """Say whether nothing more will happen.

        Nothing waits and nothing runs, for one moment: a message may be on its way from Redis to a
        worker then, and lie nowhere. So if something is missing, it takes longer to be sure.
        """
        if not self.idle():
            self._idle_since = None
            return False
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        if now - self._idle_since > SURE or complete(self._gather()):
            self._ended, self._stuck = True, None
        return self._ended

    def until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Wait until something holds; say whether it did in time."""
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.look()
            time.sleep(PAUSE)
        return True

    def look(self) -> None:
        """Start again what has ended; stop the test if a claim can't hold any more."""
        self.rig.tend()
        if self.stopping and (len(self.album) > len(set(self.album)) or too_often(self._gather_tries())):
            raise FirstFailure

    def idle(self) -> bool:
        """Say whether nothing waits and nothing runs: looked at twice, since looks take time."""
        return all(self._idle() for _ in range(2))

    def mend(self) -> None:
        """Put good pictures in the place of bad ones, and replay the dead letters."""
        self._before = tuple(self.album)
        letters = self.letters()
        bad = [photo.name for photo in self._photos if not photo.good]
        known = [letter for letter in letters if letter.photo in bad and not letter.replay]
        self.wait_alerts()
        if not known:
            return
        self.step("replay")
        client = self.rig.client
        for letter in known:
            (self.rig.photos / letter.photo).write_bytes(pictures.good(0))
            evidence.replay(self.broker.url, client, letter.id)
        self._mended = sorted({letter.photo for letter in known})
        self._ended = False
        self.settle()

    def report(self) -> Report:
        """Report on what is known by now."""
        others = [texts.OTHERS[what].format(n=n) for what, n in self.rig.ended_by_others.items()]
        found = self._kept or self._gather()
        faults = [*self._faults, *others]
        return Report(self.module, judge(found), faults, photos=len(found.photos), stopped=self._stopped)

    # -- for the faults -----------------------------------------------------------------------

    def step(self, key: str, **facts: object) -> None:
        """Say what is being done."""
        self._progress.show(texts.STEPS[key].format(**facts))

    def did(self, key: str, **facts: object) -> None:
        """Keep what was done, for the report."""
        self._faults.append(texts.STEPS[key].format(**facts))

    @property
    def first_task(self) -> str | None:
        """The id that the API gave for the newest photo."""
        return self._photos[-1].task_id

    def looked(self, parents: list[str]) -> None:
        """Keep who was seen waiting for another task."""
        self._looks += 1
        self._parents += parents
        if parents and self.stopping:
            raise FirstFailure

    def settled(self) -> None:
        """Return when all that was sent is done; stop if it will never be."""
        self.settle()
        self._check()

    def letters(self) -> list[evidence.Letter]:
        """Return the dead letters."""
        names = [photo.name for photo in self._photos]
        return self.rig.asking(lambda _: evidence.dead_letters(self.broker.url, names))

    def alerts(self) -> Counter[str]:
        """Return how many alerts came, by the id of the letter."""
        bodies = [request.body for request in self.rig.alerts.requests]
        return Counter(str(body.get("id")) for body in bodies if isinstance(body, dict))

    def tries(self, name: str) -> int:
        """Return how often a photo was tried, as far as messages and letters tell."""
        (photo,) = (each for each in self._photos if each.name == name)
        return tried(self._gather(), photo)

    def wait_alerts(self) -> None:
        """Return when there is an alert for each dead letter, or when none will come."""
        known = {letter.id for letter in self.letters()}
        self.until(lambda: self.alerts().keys() >= known, ALERTS)

    # -- how --------------------------------------------------------------------------------

    def _in_lanes(self) -> bool:
        return any(each.queue in evidence.LANES for each in self.messages())

    def _gather_tries(self) -> Evidence:
        return Evidence(photos=tuple(self._photos), messages=tuple(self.messages()))

    def _check(self) -> None:
        if self.stopping and any(line.ok is False for line in judge(self._gather())):
            raise FirstFailure

    def _idle(self) -> bool:
        if self.messages():
            return False
        active = self.rig.active()
        return active is not None and not any(active.values()) and not self.messages()

    def messages(self) -> list[evidence.Message]:
        """Return the messages that wait, and those that workers hold."""
        return self.rig.asking(evidence.messages)

    def _moving(self) -> Any:
        left = frozenset((each.id, each.tries) for each in self.messages())
        return left, len(self.album), tuple(self.rig.pids())

    def _gather(self) -> Evidence:
        ids = [photo.task_id for photo in self._photos if photo.task_id]
        folder = self.rig.photos
        return Evidence(
            photos=tuple(self._photos),
            stored=frozenset(photo.name for photo in self._photos if (folder / photo.name).is_file()),
            album=tuple(self.album),
            album_before=self._before,
            renditions={photo.name: evidence.readable(folder, photo.name) for photo in self._photos},
            messages=tuple(self.messages()),
            letters=tuple(self.letters()),
            alerts=self.alerts(),
            states=self.rig.asking(lambda client: evidence.states(client, ids)),
            looks=self._looks,
            parents=tuple(self._parents),
            mended=tuple(self._mended),
            ended=self._ended,
            stuck=self._stuck,
        )
