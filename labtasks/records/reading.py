"""Look into records."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from labtasks.database import engine
from labtasks.records.tables import CeleryTaskRecord, JobSync, WorkerLog, iso, unpacked


class NoSuchRecord(LookupError):
    """There is no record of the task that was asked for."""


def record(task_id: str) -> CeleryTaskRecord:
    """Return the record of a task, detached from the database; ``NoSuchRecord`` if there is none."""
    with Session(engine()) as session:
        found = session.get(CeleryTaskRecord, task_id)
        if found is None:
            raise NoSuchRecord(f"there is no record of a task {task_id!r}")
        session.expunge(found)
        return found


def find(*, limit: int = 20, **wanted: Any) -> list[CeleryTaskRecord]:
    """Return records, the newest change first, detached from the database.

    Parameters
    ----------
    limit
        So many at most.
    wanted
        ``states``, ``name``, ``since``, ``worker`` and ``job``, as of ``count``.
    """
    newest = func.coalesce(CeleryTaskRecord.finished_at, CeleryTaskRecord.changed_at).desc()
    with Session(engine(), expire_on_commit=False) as session:
        query = select(CeleryTaskRecord).where(*_fits(**wanted)).order_by(newest, CeleryTaskRecord.task_id)
        return list(session.scalars(query.limit(limit)))


def count(**wanted: Any) -> int:
    """Return how many records there are.

    Parameters
    ----------
    wanted
        ``states``, a list; ``name``, with its module or without, and ``worker``, in which ``*``
        is anything; ``since``, a moment; ``job``. What is not given does not matter.
    """
    with Session(engine()) as session:
        return int(
            session.scalar(select(func.count()).select_from(CeleryTaskRecord).where(*_fits(**wanted))) or 0
        )


def lines_of(task_id: str, limit: int = 50) -> list[dict[str, Any]]:
    """Return the newest lines that were logged of a task, in the order of their times."""
    with Session(engine()) as session:
        query = select(WorkerLog).where(WorkerLog.task_id == task_id)
        rows = session.scalars(query.order_by(WorkerLog.at.desc(), WorkerLog.id.desc()).limit(limit)).all()
        return [
            {
                "at": iso(row.at),
                "level": row.level,
                "logger": row.logger,
                "text": row.text,
                "fields": unpacked(row.fields),
                "pid": row.pid,
            }
            for row in reversed(rows)
        ]


def jobs_of(status: str | None = None, limit: int = 20) -> list[JobSync]:
    """Return jobs, the newest first, detached from the database."""
    with Session(engine(), expire_on_commit=False) as session:
        query = select(JobSync).order_by(JobSync.started_at.desc(), JobSync.job)
        return list(
            session.scalars((query.where(JobSync.status == status) if status else query).limit(limit))
        )


def _fits(
    states: Sequence[str] = (),
    name: str | None = None,
    since: float | None = None,
    worker: str | None = None,
    job: str | None = None,
) -> list[ColumnElement[bool]]:
    table = CeleryTaskRecord
    found: list[ColumnElement[bool]] = []
    if states:
        found.append(table.state.in_(list(states)))
    if name:
        like = _like(name)
        found.append(or_(table.name.like(like, escape="\\"), table.name.like(f"%.{like}", escape="\\")))
    if worker:
        found.append(table.worker.like(_like(worker), escape="\\"))
    if since is not None:
        found.append(func.coalesce(table.finished_at, table.changed_at) >= since)
    if job:
        found.append(table.job == job)
    return found


def _like(pattern: str) -> str:
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%")
