"""A thread that writes to a database in batches, and waits with what it has while that is away."""

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from labtasks.database import ONE_AT_A_TIME

logger = logging.getLogger(__name__)

Sink = Callable[[Connection, list[Any]], None]
Chore = Callable[[Connection], None]

EVERY = 0.2  # s that a first item waits for others
BATCH = 1000
PAUSES = (0.5, 1.0, 2.0)  # s until a database that is away is asked again; the last again and again
GOODBYE = 3.0  # s that the end of a process waits for the database
AWAY = (OperationalError, InterfaceError)

_writers: "weakref.WeakSet[Writer]" = weakref.WeakSet()


class Writer:
    """One queue and one thread a process, made when the first item comes; after the fork, that is.

    Whoever hands over an item never waits for the database. While it is away, ``most`` items are
    kept; then the oldest go, and are counted.

    Parameters
    ----------
    engine
        Called in the thread for each batch: makes the engine, or returns the one there is.
    most
        Items that are kept at most.
    """

    def __init__(self, engine: Callable[[], Engine], most: int = 20_000) -> None:
        self._engine, self._most = engine, most
        self._chores: list[tuple[float, Chore]] = []
        self._begin()
        _writers.add(self)

    def put(self, sink: Sink, item: Any) -> None:
        """Hand over an item, to be written soon.

        Parameters
        ----------
        sink
            Called in the thread with a connection and a list of items, in a transaction.
        item
            What the sink takes.
        """
        with self._lock:
            if len(self._items) >= self._most:
                self._items.popleft()
                self._lost += 1
                self._overrun += 1
            self._items.append((sink, item))
        if not self._due.is_set():
            self._due.set()
            self._run()

    def every(self, seconds: float, chore: Chore) -> None:
        """Do something in the thread, now and then again and again, as long as this process lives."""
        self._chores.append((seconds, chore))
        self._next.append(0.0)
        self._due.set()
        self._run()

    def flush(self, timeout: float = GOODBYE) -> bool:
        """Return once what was handed over is written; false if that is not so in time."""
        deadline = time.monotonic() + timeout
        self._hurry.set()
        self._due.set()
        with self._lock:
            wanted = self._taken + len(self._items)
        while self._taken < wanted and time.monotonic() < deadline and self._thread is not None:
            time.sleep(0.005)
        return self._taken >= wanted

    def close(self, timeout: float = GOODBYE) -> None:
        """Write what there is, at the end of a process; say what could not be written."""
        if self._thread is not None and not self.flush(timeout):
            logger.error("the database is away at the end: %d items are lost", len(self._items))
            with self._lock:
                self._items.clear()

    @property
    def waiting(self) -> int:
        """Items that are not written yet."""
        return len(self._items)

    def is_this_thread(self) -> bool:
        """Whether it is the writer's own thread that asks."""
        return threading.current_thread() is self._thread

    def _begin(self) -> None:
        self._items: deque[tuple[Sink, Any]] = deque()
        self._lock, self._busy = threading.Lock(), threading.Lock()
        self._due, self._hurry = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = self._overrun = self._taken = self._tries = 0
        self.held = False  # while this process forks
        self._next = [0.0] * len(self._chores)

    def _run(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="records", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        while True:
            self._due.wait(self._until_chore())
            if self._due.is_set() and not self._tries:
                self._hurry.wait(EVERY)  # for others to come
            self._due.clear()
            self._hurry.clear()
            try:
                with self._busy:  # no process is forked meanwhile
                    self._write_all()
            except AWAY as error:
                self._say_away(error)
                self._hurry.wait(PAUSES[min(self._tries, len(PAUSES)) - 1])
                self._due.set()
            except Exception:
                logger.exception("what could not be written is lost")
            else:
                self._say_back()

    def _write_all(self) -> None:
        self._do_chores()
        left = len(self._items)  # what comes meanwhile waits for others
        while left > 0 and (batch := self._first(min(left, BATCH))):
            self._write(batch)
            self._let_go(len(batch))
            left -= len(batch)
        if self._items:
            self._due.set()

    def _write(self, batch: list[tuple[Sink, Any]]) -> None:
        by_sink: dict[Sink, list[Any]] = {}
        for sink, item in batch:
            by_sink.setdefault(sink, []).append(item)
        for attempt in (1, 2, 3):
            try:
                with transaction(self._engine()) as connection:
                    for sink, items in by_sink.items():
                        sink(connection, items)
                return
            except IntegrityError:
                continue  # another process was quicker: what it wrote is there to be seen now
            except AWAY:
                if attempt > 1:
                    raise  # the first time, it may be an old connection to a server that is back
            except (SQLAlchemyError, ValueError, TypeError, OverflowError):
                break
        self._write_singly(batch)

    def _write_singly(self, batch: list[tuple[Sink, Any]]) -> None:
        """Leave out what the database refuses."""
        for sink, item in batch:
            try:
                with transaction(self._engine()) as connection:
                    sink(connection, [item])
            except AWAY:
                raise
            except Exception:
                logger.exception("the database refuses %r", item)

    def _do_chores(self) -> None:
        for number, (seconds, chore) in enumerate(self._chores):
            if time.monotonic() >= self._next[number]:
                with transaction(self._engine()) as connection:
                    chore(connection)
                self._next[number] = time.monotonic() + seconds

    def _until_chore(self) -> float | None:
        return max(0.0, min(self._next) - time.monotonic()) if self._next else None

    def _first(self, n: int) -> list[tuple[Sink, Any]]:
        with self._lock:
            self._overrun = 0
            return list(islice(self._items, n))

    def _let_go(self, n: int) -> None:
        with self._lock:
            for _ in range(min(n - self._overrun, len(self._items))):
                self._items.popleft()
            self._lost -= min(n, self._overrun)  # they had been written when they went
            self._taken += n

    def _say_away(self, error: Exception) -> None:
        self._tries += 1
        if self._tries == 1:
            first, _, _ = str(getattr(error, "orig", error)).strip().partition("\n")
            logger.error(
                "the database does not answer; tasks go on, and what is to be written waits here: %s", first
            )

    def _say_back(self) -> None:
        if self._tries:
            logger.warning("the database is back; lost meanwhile: %d", self._lost)
        self._tries = self._lost = 0


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that writes; in SQLite it waits for its turn before it reads."""
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(ONE_AT_A_TIME["sqlite"])
        yield connection


def _before_fork() -> None:
    for writer in list(_writers):
        # a process that is forked while a thread loads a module could never load that module; a
        # database that does not answer must not keep the worker from having a new process, though
        writer.held = writer._busy.acquire(timeout=1.0)


def _after_fork() -> None:
    for writer in list(_writers):
        if writer.held:
            writer._busy.release()


def _in_child() -> None:
    for writer in list(_writers):
        writer._chores.clear()  # those of the main process
        writer._begin()


def close_all() -> None:
    """Write what all writers of this process have."""
    for writer in list(_writers):
        writer.close()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
atexit.register(close_all)
