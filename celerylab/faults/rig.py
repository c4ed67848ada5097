"""What a photo service runs on: broker, database, API, alerts, and two workers that a supervisor restarts."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from celerylab.errors import LabError, ProcessFailed
from celerylab.faults import texts
from celerylab.faults.album import Album
from celerylab.faults.evidence import BULK, LANES, store_error
from celerylab.stack import control
from celerylab.stack.modules import check_module
from celerylab.stack.owner import owner
from celerylab.stack.server import Server
from celerylab.stack.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis
    from celery import Celery

    from celerylab.stack.broker import Broker
    from celerylab.stack.postgres import Postgres
    from celerylab.stack.webhook import Webhook

API = "labtasks.web.photos:api"
TASK = "photos.receive"
PROCESSES = 2  # of each worker
VISIBILITY = 2  # s until messages of a dead worker come back
START_TIMEOUT = 30.0  # s
LOOK_TIMEOUT = 0.5  # s for a worker's answer
RESTARTS = 8  # of one worker that ends by itself
PAUSE = 0.03  # s


T = TypeVar("T")


class Lab(Protocol):
    """What is needed of the toolbox."""

    def broker(self, *, keep: bool = False) -> Broker:
        """Start a broker."""

    def postgres(self) -> Postgres:
        """Start a database."""

    def webhook(self) -> Webhook:
        """Start an HTTP receiver."""


class Rig:
    """Servers that stay from one fault test to the next, and workers that do not.

    Parameters
    ----------
    lab
        Starts the servers, and ends them.
    """

    def __init__(self, lab: Lab) -> None:
        self.broker = lab.broker(keep=True)
        self.database = lab.postgres()
        self.album = Album(self.database)
        self.alerts = lab.webhook()
        self.folder = owner().folder / f"photos-{secrets.token_hex(4)}"
        self.key = secrets.token_urlsafe(18)
        self.workers: dict[str, Worker] = {}
        self.ended_by_others: Counter[str] = Counter()
        self._redis = self.broker.redis()
        self._answered: dict[str, int] = {}  # process id of the worker that did
        self._api: Server | None = None

    @property
    def photos(self) -> Path:
        """The folder in which the service keeps pictures."""
        return self.folder / "photos"

    @property
    def api(self) -> Server:
        """The API's process."""
        if self._api is None:
            raise LabError(texts.NOT_RUNNING)
        return self._api

    @property
    def env(self) -> Mapping[str, str]:
        """What the service is told of where things are."""
        # settings that somebody may have given for the lab's own broker would lead elsewhere
        aside = ("RESULT_BACKEND", "DEAD_LETTERS_URL", "IDEMPOTENCY_URL", "METRICS_PORT", "RECORDS")
        return {
            **{f"CELERYLAB_{name}": "" for name in aside},
            "CELERYLAB_BROKER_URL": self.broker.url,
            "CELERYLAB_WORK_FOLDER": str(self.folder),
            "CELERYLAB_ALERT_URL": self.alerts.url,
            "CELERYLAB_VISIBILITY_TIMEOUT": str(VISIBILITY),
            "CELERYLAB_API_KEY": self.key,
            "ALBUM_URL": self.album.url,
        }

    # -- start and stop ---------------------------------------------------------------

    def start(self, module: str) -> None:
        """Empty everything, and start the service of a module.

        Raises
        ------
        NoSuchModule, ProcessFailed
            See ``Worker.start``.
        LabError
            The module lacks the task that the API sends.
        """
        check_module(module)
        self.stop()
        self.broker.start()
        self.database.start()
        self._redis.flushall()
        self.album.empty()
        self.alerts.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.photos.mkdir(parents=True)
        self.ended_by_others.clear()
        self.workers = {lane: self._worker(module, lane) for lane in LANES}
        for worker in self.workers.values():
            worker.spawn()
        # meanwhile; the same API serves every test, since it sends tasks by name
        if self._api is None:
            self._api = Server(API, timeout=START_TIMEOUT, env=self.env)
        if not self._api.alive:
            self._api.start()
        for worker in self.workers.values():
            worker.wait_answering()
        self._check_tasks(module)

    def stop(self) -> None:
        """End the workers, and let go of what is held."""
        for worker in self.workers.values():
            worker.kill()
        self.workers = {}
        self.album.close()

    def close(self) -> None:
        """End the API, too."""
        self.stop()
        if self._api is not None:
            self._api.kill()

    def tend(self) -> None:
        """Start again what has ended, as a supervisor does; count what the lab did not end."""
        if not self.broker.alive:
            self.ended_by_others["broker"] += 1
            self.broker.start()
        if not self.database.alive:
            self.database.start()
        if not self.api.alive:
            self.ended_by_others["api"] += 1
            self.api.start()
        for lane, worker in self.workers.items():
            if not worker.alive:
                self.ended_by_others["worker"] += 1
                if self.ended_by_others["worker"] > RESTARTS:
                    log = "\n".join(worker.log())
                    raise ProcessFailed(f"{texts.KEEPS_ENDING.format(lane=lane)}\n{log}")
                worker.kill()  # its pool, if that is left
                worker.spawn()

    # -- look -------------------------------------------------------------------------

    @property
    def client(self) -> Celery:
        """A Celery app of the lab's own on the broker."""
        return control.client(self.broker.url)

    def asking(self, question: Callable[[redis.Redis], T]) -> T:
        """Return the answer to a question about the broker; ask again while it is being restarted."""
        from redis import RedisError

        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return question(self._redis)
            except (RedisError, store_error()):
                if time.monotonic() > deadline:
                    raise
                self.tend()
                time.sleep(PAUSE)

    def pids(self) -> list[int]:
        """Return the process ids of the workers that run."""
        found = []
        for worker in self.workers.values():
            # somebody may end it at any moment
            with suppress(ProcessFailed):
                found.append(worker.pid)
        return found

    def active(self, *lanes: str) -> dict[str, list[dict[str, Any]]] | None:
        """Return what workers run, all or those of some lanes; ``None`` if one does not answer now."""
        found = {}
        for lane in lanes or self.workers:
            if not self._ready(lane):
                return None
            answer = control.asked(self.broker.url, self.workers[lane].node, "active", LOOK_TIMEOUT)
            if answer is None:
                return None
            found[lane] = answer
        return found

    def _ready(self, lane: str) -> bool:
        """Say whether a worker runs and has answered since it was started."""
        worker = self.workers[lane]
        try:
            pid = worker.pid
        except ProcessFailed:
            return False
        if self._answered.get(lane) != pid and control.ping(self.broker.url, worker.node):
            self._answered[lane] = pid
        return self._answered.get(lane) == pid

    # -- act --------------------------------------------------------------------------

    def freeze(self, lane: str) -> None:
        """Stop a worker's processes where they are."""
        os.killpg(self.workers[lane].pid, signal.SIGSTOP)

    def thaw(self, lane: str) -> None:
        """Let them go on."""
        os.killpg(self.workers[lane].pid, signal.SIGCONT)

    def kill(self, lane: str) -> None:
        """End a worker and its pool with SIGKILL."""
        self.workers[lane].kill()

    def wait_ready(self, *lanes: str) -> None:
        """Return when workers answer, all or those of some lanes."""
        deadline = time.monotonic() + START_TIMEOUT
        while self.active(*lanes) is None and time.monotonic() < deadline:
            self.tend()
            time.sleep(PAUSE)

    def _worker(self, module: str, lane: str) -> Worker:
        return Worker(
            module,
            broker_url=self.broker.url,
            concurrency=PROCESSES,
            queues=[lane],
            name=lane,
            # so a worker with nothing to spare asks Redis for no message that a kill could lose
            options=["--prefetch-multiplier=1"],
            env=self.env,
            timeout=START_TIMEOUT,
        )

    def _check_tasks(self, module: str) -> None:
        known = control.asked(self.broker.url, self.workers[BULK].node, "registered", START_TIMEOUT) or []
        if not any(each.partition(" ")[0] == TASK for each in known):
            self.stop()
            raise LabError(texts.NO_TASK.format(module=module, task=TASK))
