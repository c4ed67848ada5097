"""The tables of records, beside the app's others."""

import json
import math
import time
from datetime import UTC, datetime
from typing import Any

from kombu.utils import json as kombu_json
from sqlalchemy import BigInteger, Double, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from labtasks.database import Base, look_again
from labtasks.records.states import SUCCESS, Seen, follows

LONGEST = 64 * 1024  # characters of a result, of arguments, of a traceback
Id = String(255)


class CeleryTaskRecord(Base):
    """What became of one task, from sending it to its end; moments are seconds since 1970."""

    __tablename__ = "celery_task_records"

    task_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str | None] = mapped_column(Id, index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    retries: Mapped[int] = mapped_column(Integer, default=0)
    changed_at: Mapped[float] = mapped_column(Double, index=True)
    sent_at: Mapped[float | None] = mapped_column(Double)
    received_at: Mapped[float | None] = mapped_column(Double)
    started_at: Mapped[float | None] = mapped_column(Double)
    finished_at: Mapped[float | None] = mapped_column(Double)
    runtime: Mapped[float | None] = mapped_column(Double)
    queue: Mapped[str | None] = mapped_column(Id)
    worker: Mapped[str | None] = mapped_column(Id)
    instance: Mapped[str | None] = mapped_column(String(32), index=True)
    pid: Mapped[int | None] = mapped_column(Integer)
    args: Mapped[str | None] = mapped_column(Text)
    kwargs: Mapped[str | None] = mapped_column(Text)
    root_id: Mapped[str | None] = mapped_column(Id)
    parent_id: Mapped[str | None] = mapped_column(Id)
    job: Mapped[str | None] = mapped_column(Id, index=True)
    progress: Mapped[str | None] = mapped_column(Text)
    progress_at: Mapped[float | None] = mapped_column(Double)
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)
    lost_because: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)  # to send again; of tasks that ask for it
    resent: Mapped[int | None] = mapped_column(Integer)
    returned: Mapped[str | None] = mapped_column(Text)  # its repr, as far as the main process is told
    result: Mapped[str | None] = mapped_column(Text)

    def set_result(self, value: Any) -> None:
        """Set what the task returned, and with it that it has succeeded; as JSON."""
        now = time.time()
        old = Seen(self.state, self.retries or 0, self.changed_at) if self.state else None
        if follows(old, Seen(SUCCESS, self.retries or 0, now)):
            self.state, self.changed_at, self.finished_at = SUCCESS, now, now
        self.result = packed(value)

    def get_result(self) -> Any:
        """Return what the task returned; ``None`` if nothing is known."""
        return None if self.result is None else kombu_json.loads(self.result)  # type: ignore[no-untyped-call]

    def as_dict(self) -> dict[str, Any]:
        """Return all columns; moments as ISO 8601 in UTC, JSON as what it says."""
        row = {column.name: getattr(self, column.name) for column in self.__table__.columns}
        for name in [name for name in row if name.endswith("_at")]:
            row[name] = iso(row[name])
        for name in ("result", "progress"):
            row[name] = unpacked(row[name])
        return row


class JobSync(Base):
    """A piece of work that somebody waits for, done by one task or many; what became of them.

    A task belongs to a job if its message has the header ``job``.
    """

    __tablename__ = "job_syncs"

    job: Mapped[str] = mapped_column(Id, primary_key=True)
    target: Mapped[str] = mapped_column(Id)
    status: Mapped[str] = mapped_column(String(16), index=True)
    total: Mapped[int] = mapped_column(Integer)
    succeeded: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    started_at: Mapped[float] = mapped_column(Double)
    changed_at: Mapped[float] = mapped_column(Double)
    finished_at: Mapped[float | None] = mapped_column(Double)
    note: Mapped[str | None] = mapped_column(Text)

    def as_dict(self) -> dict[str, Any]:
        """Return all columns; moments as ISO 8601 in UTC."""
        row = {column.name: getattr(self, column.name) for column in self.__table__.columns}
        return {name: iso(value) if name.endswith("_at") else value for name, value in row.items()}


class WorkerLog(Base):
    """A line that a worker logged."""

    __tablename__ = "worker_logs"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[float] = mapped_column(Double, index=True)
    level: Mapped[str] = mapped_column(String(16))
    logger: Mapped[str] = mapped_column(Id)
    text: Mapped[str] = mapped_column(Text)
    task_id: Mapped[str | None] = mapped_column(Id, index=True)
    worker: Mapped[str | None] = mapped_column(Id)
    pid: Mapped[int] = mapped_column(Integer)
    fields: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)


class WorkerLease(Base):
    """A worker process that lives, as long as it says so; moments by the database's clock."""

    __tablename__ = "worker_leases"

    instance: Mapped[str] = mapped_column(String(32), primary_key=True)
    worker: Mapped[str] = mapped_column(Id)
    pid: Mapped[int] = mapped_column(Integer)
    seen_at: Mapped[float] = mapped_column(Double)
    suspected_at: Mapped[float | None] = mapped_column(Double)
    stopped_at: Mapped[float | None] = mapped_column(Double)


look_again()


def iso(moment: float | None) -> str | None:
    """Write a moment as ISO 8601 in UTC, to the millisecond."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def packed(value: Any) -> str:
    """Return a value as JSON; what JSON can't take, or what is too long, as the text of its ``repr``."""
    try:
        written = json.dumps(value)  # in C, and the same for all that it takes
    except (TypeError, ValueError):
        try:
            written = _dumps(value)
        except Exception:  # noqa: BLE001  # a value of anybody's
            written = _dumps(_shown(value))
    return clean(written if len(written) <= LONGEST else _dumps(f"{written[: LONGEST // 2]}…"))


def unpacked(text: str | None) -> Any:
    """Return what JSON says, as plain JSON: dates are text."""
    return None if text is None else json.loads(text)


def clean(text: str) -> str:
    """Return a text that any database takes: without NUL, without halves of characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def finite(number: float | None) -> float | None:
    """Return a number that any database takes."""
    return number if number is None or math.isfinite(number) else None


def _shown(value: Any) -> str:
    try:
        return repr(value)[: LONGEST // 2]
    except Exception as error:  # noqa: BLE001  # a __repr__ of anybody's
        return f"(not to be shown: {type(error).__name__})"


def _dumps(value: Any) -> str:
    return str(kombu_json.dumps(value))  # type: ignore[no-untyped-call]
