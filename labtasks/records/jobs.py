"""Jobs: what somebody waits for, begun by one call and done by many tasks."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from labtasks import database
from labtasks.records.leases import LEASES
from labtasks.records.states import ENDED, LOST
from labtasks.records.storing import JOBS, LOGS, RECORDS, refresh
from labtasks.records.writer import transaction


class JobExists(Exception):
    """A job of this name was begun before."""


def start_job(job: str, target: str, total: int, engine: Callable[[], Engine] = database.engine) -> None:
    """Begin a job; then send its tasks, each with ``headers={"job": job}``.

    Parameters
    ----------
    job
        A name that is used once.
    target
        What is done, in a word or two.
    total
        How many tasks it will have.

    Raises
    ------
    JobExists
        It was begun before.
    """
    now = time.time()
    with transaction(engine()) as connection:
        if connection.execute(select(JOBS.c.job).where(JOBS.c.job == job)).first():
            raise JobExists(f"the job {job!r} was begun before")
        row = {"job": job, "target": target, "status": "running", "total": total}
        connection.execute(JOBS.insert().values(**row, succeeded=0, failed=0, started_at=now, changed_at=now))
        if not total:
            refresh(connection, [job])


def close_stale(connection: Connection, quiet: float) -> list[str]:
    """Close the jobs that nobody works for any more, and return their names.

    Those of which all tasks have ended, whoever forgot to say so; and those that miss tasks,
    which nobody has sent for a while, and of which no task is open.

    Parameters
    ----------
    connection
        In a transaction.
    quiet
        Seconds without any change after which tasks that were never sent are not waited for.
    """
    closed = []
    running = connection.execute(select(JOBS.c.job).where(JOBS.c.finished_at.is_(None))).scalars().all()
    refresh(connection, running)
    before = time.time() - quiet
    for job in running:
        row = connection.execute(select(JOBS).where(JOBS.c.job == job)).one()
        if row.finished_at is not None:
            closed.append(job)
            continue
        waits = RECORDS.c.state.not_in(ENDED) & ~((RECORDS.c.state == LOST) & RECORDS.c.message.is_(None))
        found = connection.execute(
            select(func.count(), func.max(RECORDS.c.changed_at)).where((RECORDS.c.job == job) & waits)
        ).one()
        last = connection.execute(select(func.max(RECORDS.c.changed_at)).where(RECORDS.c.job == job)).scalar()
        if not found[0] and max(last or 0.0, row.started_at) < before:
            missing = row.total - row.succeeded - row.failed
            connection.execute(
                update(JOBS)
                .where(JOBS.c.job == job)
                .values(status="stale", finished_at=time.time(), note=f"{missing} tasks were never seen")
            )
            closed.append(job)
    return closed


def forget(connection: Connection, days: float) -> dict[str, int]:
    """Remove what has ended long ago, and return how many rows of each table."""
    before = time.time() - days * 24 * 3600
    old: dict[str, Any] = {
        "records": delete(RECORDS).where(RECORDS.c.changed_at < before, RECORDS.c.state.in_((*ENDED, LOST))),
        "jobs": delete(JOBS).where(JOBS.c.finished_at < before),
        "lines": delete(LOGS).where(LOGS.c.at < before),
        "leases": delete(LEASES).where(LEASES.c.seen_at < before),
    }
    return {name: connection.execute(statement).rowcount for name, statement in old.items()}
