"""The album: the effect of the service, one row a photo, and the place where it can be held.

Two holds stop a transaction at a moment of the lab's choice, whatever the learner's code is like:

- before its commit, by a lock on the table: the row is then undone if the worker is killed;
- behind its commit, by a standby server that PostgreSQL waits for and that does not exist: the
  commit is on the disk, and whoever asked for it does not know yet.
"""

import contextlib
import threading
import time
from typing import Any

from celerylab.stack.postgres import Postgres

TABLES = """
CREATE TABLE IF NOT EXISTS album (id bigserial, photo text, renditions int);
CREATE TABLE IF NOT EXISTS published (photo text PRIMARY KEY);
CREATE TABLE IF NOT EXISTS reports (day date PRIMARY KEY, photos int);
CREATE TABLE IF NOT EXISTS probe (n int);
TRUNCATE album, published, reports, probe RESTART IDENTITY
"""
# a transaction that waits for its commit to be copied still has its lock on the table
HELD = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'album'::regclass AND mode = 'RowExclusiveLock'
AND (NOT granted OR wait_event = 'SyncRep')
"""
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'album'::regclass AND mode = 'RowExclusiveLock' AND NOT granted
"""
PROBED = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%probe%'"
PAUSE = 0.005  # s
TIMEOUT = 10.0  # s


class Album:
    """The tables of a photo service.

    Parameters
    ----------
    server
        Where they lie.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._tables: Any = None
        self._look: Any = None
        self._probe: threading.Thread | None = None
        self._held_over = threading.Event()

    @property
    def url(self) -> str:
        """Address with password, as psycopg reads it."""
        return self._server.conninfo

    def empty(self) -> None:
        """Make the tables, or empty them."""
        self.close()
        self._tables, self._look = self._connect(), self._connect()
        # the lab's own commits wait for nobody
        self._tables.execute("SET synchronous_commit = local")
        self.let_commits_pass()
        self._tables.execute(TABLES)

    def photos(self) -> list[str]:
        """Return the photo of each row, in the order in which the rows were written."""
        return [photo for (photo,) in self._tables.execute("SELECT photo FROM album ORDER BY id").fetchall()]

    def held(self) -> int:
        """Return how many transactions wait, before or behind their commit."""
        return int(self._look.execute(HELD).fetchone()[0])

    def lock(self) -> None:
        """Let nobody write from now on: who tries waits before the commit."""
        self._tables.execute("BEGIN")
        self._tables.execute("LOCK TABLE album IN ACCESS EXCLUSIVE MODE")

    def unlock(self) -> None:
        """Let those who wait go on."""
        self._tables.execute("COMMIT")

    def cut(self) -> None:
        """End the transactions that wait before their commit, since their clients are dead.

        PostgreSQL sees that only when it answers, and a row that needs no further word of its
        client would be written by then.
        """
        self._look.execute(CUT)

    def hold_commits(self) -> None:
        """Keep the answer to each commit back, from now on."""
        self._set("SET synchronous_standby_names = 'nobody'")
        self._held_over.clear()
        # a new setting reaches PostgreSQL's processes one after the other: it counts when a commit waits
        self._probe = threading.Thread(target=self._commit, name="celerylab-probe", daemon=True)
        self._probe.start()
        deadline = time.monotonic() + TIMEOUT
        while not self._look.execute(PROBED).fetchone() and time.monotonic() < deadline:
            time.sleep(PAUSE)

    def let_commits_pass(self) -> None:
        """Answer the commits that were kept back."""
        self._held_over.set()
        self._set("RESET synchronous_standby_names")
        if self._probe:
            self._probe.join(TIMEOUT)
            self._probe = None

    def close(self) -> None:
        """Close the connections, and with them every hold."""
        for connection in (self._tables, self._look):
            if connection is not None:
                with contextlib.suppress(Exception):
                    connection.close()
        self._tables = self._look = None

    def _set(self, setting: str) -> None:
        self._look.execute(f"ALTER SYSTEM {setting}")
        self._look.execute("SELECT pg_reload_conf()")

    def _commit(self) -> None:
        with contextlib.suppress(Exception), self._connect() as connection:
            # one that comes back at once says that the setting has not arrived yet
            while not self._held_over.is_set():
                connection.execute("INSERT INTO probe VALUES (1)")

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(self.url, autocommit=True)
