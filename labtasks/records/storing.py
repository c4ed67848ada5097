"""State changes and results into the tables; what ``Writer`` calls in its thread."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from labtasks.records.states import ENDED, LOST, SUCCESS, apply
from labtasks.records.tables import CeleryTaskRecord, JobSync, WorkerLog

RECORDS: Table = CeleryTaskRecord.__table__  # type: ignore[assignment]
JOBS: Table = JobSync.__table__  # type: ignore[assignment]
LOGS: Table = WorkerLog.__table__  # type: ignore[assignment]

_KEPT = [column for column in RECORDS.columns if column.name != "result"]  # who has run it writes that
_NAMES = [column.name for column in _KEPT]
_INSERT: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def write_changes(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Add state changes to their records, each if it follows from what is there.

    Parameters
    ----------
    connection
        In a transaction, in which nobody else changes these records.
    changes
        Each with ``task_id``, ``state``, ``retries`` and ``at``, and other columns by name.
    """
    ids = sorted({change["task_id"] for change in changes})
    # in one order, so that no two processes wait for each other
    found = connection.execute(
        select(*_KEPT).where(RECORDS.c.task_id.in_(ids)).order_by(RECORDS.c.task_id).with_for_update()
    )
    rows = {row.task_id: row._asdict() for row in found}
    jobs = set()
    for change in changes:
        row = rows.setdefault(change["task_id"], {})
        if apply(row, change) and row.get("job") and (change["state"] in ENDED):
            jobs.add(row["job"])
    upsert = _upsert(connection.dialect.name, tuple(_NAMES))
    connection.execute(upsert, [{name: rows[task_id].get(name) for name in _NAMES} for task_id in ids])
    refresh(connection, sorted(jobs))


def write_results(connection: Connection, results: Sequence[dict[str, Any]]) -> None:
    """Add what tasks returned to their records; one of which nothing is known yet, is begun."""
    upsert = _upsert(connection.dialect.name, ("result",))
    latest = {each["task_id"]: each for each in results}
    connection.execute(upsert, [latest[task_id] for task_id in sorted(latest)])


def write_lines(connection: Connection, lines: Sequence[dict[str, Any]]) -> None:
    """Add lines to the log."""
    connection.execute(LOGS.insert(), list(lines))


def refresh(connection: Connection, jobs: Iterable[str]) -> None:
    """Count anew what became of the tasks of jobs, and close those of which all have ended."""
    for job in jobs:
        row = connection.execute(select(JOBS).where(JOBS.c.job == job).with_for_update()).first()
        if row is None:
            continue
        succeeded, failed = counts(connection, job)
        done = succeeded + failed >= row.total
        now = time.time()
        values = {"succeeded": succeeded, "failed": failed, "changed_at": now, "status": "running"}
        if done:
            values["status"] = "success" if not failed else "partial" if succeeded else "failed"
        connection.execute(
            update(JOBS).where(JOBS.c.job == job).values(**values, finished_at=now if done else None)
        )


def counts(connection: Connection, job: str) -> tuple[int, int]:
    """Return how many tasks of a job have succeeded, and how many have ended otherwise.

    A task that is lost and was sent again has not ended.
    """
    gave_up = (RECORDS.c.state == LOST) & RECORDS.c.message.is_(None)
    ended = RECORDS.c.state.in_(ENDED - {SUCCESS}) | gave_up
    found = connection.execute(
        select(
            func.count(case((RECORDS.c.state == SUCCESS, 1))),
            func.count(case((ended, 1))),
        ).where(RECORDS.c.job == job)
    ).one()
    return int(found[0]), int(found[1])


@lru_cache
def _upsert(dialect: str, names: tuple[str, ...]) -> Any:
    """Return the statement that writes these columns, whether there is a record or not."""
    insert = _INSERT[dialect](RECORDS)
    return insert.on_conflict_do_update(
        index_elements=[RECORDS.c.task_id],
        set_={name: insert.excluded[name] for name in names if name != "task_id"},
    )
