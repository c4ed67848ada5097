"""Which workers live: each renews a lease in the database as long as it does."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from labtasks.records.tables import WorkerLease

LEASES: Table = WorkerLease.__table__  # type: ignore[assignment]
_INSERT: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def now(connection: Connection) -> float:
    """Return the time by the database's clock: those of two machines may differ."""
    if connection.dialect.name == "sqlite":  # whose clock is this machine's
        return time.time()
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def renewal(instance: str, worker: str) -> Callable[[Connection], None]:
    """Return what a worker's main process does again and again."""
    import os

    pid = os.getpid()

    def renew(connection: Connection) -> None:
        row = {"instance": instance, "worker": worker, "pid": pid, "seen_at": now(connection)}
        insert = _INSERT[connection.dialect.name](LEASES).values(**row)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[LEASES.c.instance], set_={"seen_at": row["seen_at"], "suspected_at": None}
            )
        )

    return renew


def stopped(connection: Connection, instances: list[str]) -> None:
    """Note that workers have ended by themselves."""
    connection.execute(
        update(LEASES).where(LEASES.c.instance.in_(instances)).values(stopped_at=now(connection))
    )


def dead(connection: Connection, instances: dict[str, str], lease: float) -> dict[str, str]:
    """Return which of some workers are dead, and why.

    A lease that has run out proves nothing: the database may have been away, so that nobody could
    renew. Then the worker is suspected, and has half a lease to clear itself while the database
    is there.

    Parameters
    ----------
    connection
        In a transaction.
    instances
        Names of worker nodes by instance.
    lease
        Seconds.
    """
    moment = now(connection)
    known = {
        row.instance: row
        for row in connection.execute(select(LEASES).where(LEASES.c.instance.in_(list(instances))))
    }
    found = {}
    for instance, worker in instances.items():
        row = known.get(instance)
        if row is None:  # it could not even begin one
            connection.execute(
                LEASES.insert().values(
                    instance=instance, worker=worker, pid=0, seen_at=moment - lease, suspected_at=moment
                )
            )
        elif row.stopped_at is not None:
            found[instance] = f"{worker} has ended"
        elif row.suspected_at is not None:
            waited = moment - row.suspected_at
            if waited > 3 * lease:  # nobody has looked for long: was the database there?
                _suspect(connection, instance, moment)
            elif waited >= lease / 2:
                found[instance] = f"{worker} has been silent for {moment - row.seen_at:.0f} s"
        elif moment - row.seen_at > lease:
            _suspect(connection, instance, moment)
    return found


def _suspect(connection: Connection, instance: str, moment: float) -> None:
    connection.execute(update(LEASES).where(LEASES.c.instance == instance).values(suspected_at=moment))
