"""Reports: CSV files on what the database holds, made in phases that can be followed."""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypedDict
from urllib.parse import quote

import msgspec
from celery import Task

from labtasks.app import app
from labtasks.files import replacing
from labtasks.parameters import read
from labtasks.progress import tell
from labtasks.settings import settings

Rows = list[dict[str, Any]]


class UnknownReportType(ValueError):
    """A report type that nobody has registered."""


class Report(NamedTuple):
    """A type of report: what it may be asked for, its columns, and its first two phases."""

    parameters: type[msgspec.Struct]
    columns: tuple[str, ...]
    collect: Callable[[Any], Rows]
    analyse: Callable[[Rows], Rows]


class Made(TypedDict):
    """What ``generate_report`` returns."""

    report_type: str
    file_path: str
    parameters: dict[str, Any]
    generated_at: float


class UsersParameters(msgspec.Struct, forbid_unknown_fields=True):
    """Which users: active ones or others, and those with an address of one domain."""

    is_active: bool | None = None
    domain: str | None = None


class ProcessingParameters(msgspec.Struct, forbid_unknown_fields=True):
    """Of which dataset, and from when up to when, in seconds since the epoch; of all if not given."""

    dataset_id: int | None = None
    since: float | None = None
    until: float | None = None


def collect_users(wanted: UsersParameters) -> Rows:
    """Return the users asked for, by id."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from labtasks.database import User, engine

    query = select(User).order_by(User.id)
    if wanted.is_active is not None:
        query = query.where(User.is_active == wanted.is_active)
    if wanted.domain is not None:
        query = query.where(User.email.iendswith(f"@{wanted.domain}", autoescape=True))
    with Session(engine()) as session:
        return [
            {"id": user.id, "username": user.username, "email": user.email, "is_active": user.is_active}
            for user in session.scalars(query)
        ]


def analyse_users(users: Rows) -> Rows:
    """Add each user's domain, and sort by it."""
    found = [{**user, "domain": user["email"].rpartition("@")[2].lower()} for user in users]
    return sorted(found, key=lambda user: (user["domain"], user["id"]))


def collect_processing(wanted: ProcessingParameters) -> Rows:
    """Return what ``process_large_dataset`` stored of each run, oldest first."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from labtasks.database import ProcessingResult, engine

    query = select(ProcessingResult.result_data).order_by(ProcessingResult.id)
    if wanted.dataset_id is not None:
        query = query.where(ProcessingResult.dataset_id == wanted.dataset_id)
    moment = ProcessingResult.result_data["timestamp"].as_float()
    if wanted.since is not None:
        query = query.where(moment >= wanted.since)
    if wanted.until is not None:
        query = query.where(moment < wanted.until)
    with Session(engine()) as session:
        return list(session.scalars(query))


def analyse_processing(runs: Rows) -> Rows:
    """Add up the runs of each dataset."""
    found: dict[int, dict[str, Any]] = {}
    for run in runs:
        row = found.setdefault(
            run["dataset_id"], {"dataset_id": run["dataset_id"], "runs": 0, "processed": 0, "rejected": 0}
        )
        row["runs"] += 1
        row["processed"] += run["processed_count"]
        row["rejected"] += run["rejected_count"]
    return [found[dataset_id] for dataset_id in sorted(found)]


REPORTS = {
    "processing": Report(
        ProcessingParameters,
        ("dataset_id", "runs", "processed", "rejected"),
        collect_processing,
        analyse_processing,
    ),
    "users": Report(
        UsersParameters,
        ("id", "username", "email", "is_active", "domain"),
        collect_users,
        analyse_users,
    ),
}


@app.task(bind=True)
def generate_report(self: "Task[Any, Any]", report_type: str, parameters: dict[str, Any]) -> Made:
    """Write a report to a file, and report progress phase by phase.

    A task that is delivered twice writes the same file again.

    Parameters
    ----------
    report_type
        ``"processing"`` or ``"users"``.
    parameters
        ``dataset_id``, ``since`` and ``until`` for ``"processing"``, ``is_active`` and ``domain``
        for ``"users"``; each may be left out.

    Raises
    ------
    UnknownReportType
        There is no such type; it is said before any progress.
    BadParameters
        The type has no such parameter, or it can't have this value.
    """
    if not isinstance(report_type, str) or report_type not in REPORTS:
        raise UnknownReportType(f"there is no report type {report_type!r}; known: {', '.join(REPORTS)}")
    report = REPORTS[report_type]
    wanted = read(parameters, report.parameters, f"parameters of the report {report_type!r}")
    tell(self, status="Initializing report generation...", progress=0)
    # the id is the sender's to choose: no path may come out of it
    target = path(f"{report_type}-{quote(self.request.id or 'direct', safe='')}")
    tell(self, status="Collecting data...", progress=25)
    collected = report.collect(wanted)
    tell(self, status="Analyzing data...", progress=50)
    analysis = report.analyse(collected)
    tell(self, status="Generating report...", progress=75)
    content = as_csv(report.columns, analysis)
    tell(self, status="Saving report...", progress=90)
    with replacing(target) as draft:
        draft.write_text(content, encoding="utf-8")
    return Made(
        report_type=report_type, file_path=str(target), parameters=parameters, generated_at=time.time()
    )


def write(name: str, report: Report, wanted: msgspec.Struct) -> tuple[Path, Rows]:
    """Write a report in one go, and return its file and its rows.

    Parameters
    ----------
    name
        Of the file, without the suffix; one that is there is replaced.
    report
        One of ``REPORTS``.
    wanted
        The report's parameters.
    """
    rows = report.analyse(report.collect(wanted))
    target = path(name)
    with replacing(target) as draft:
        draft.write_text(as_csv(report.columns, rows), encoding="utf-8")
    return target, rows


def path(name: str) -> Path:
    """Return where the report of this name belongs, the folder made if it isn't there."""
    folder = settings().work_folder / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.csv"


def as_csv(columns: tuple[str, ...], rows: Rows) -> str:
    """Write rows below a line of column names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
