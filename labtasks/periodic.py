"""What Beat sends; ``labtasks.schedules`` says when."""

import shutil
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from stat import S_ISREG
from typing import TypedDict

from celery.utils.log import get_task_logger

from labtasks import articles
from labtasks.app import app
from labtasks.files import SPOOL
from labtasks.queues import QUEUES
from labtasks.scratch import sweep
from labtasks.settings import settings

POPULAR = 10  # articles that the cache holds
CACHED = 2 * 30 * 60  # s: twice as long as until the next refresh, so that a late one leaves no hole
DAY = 24 * 3600  # s

logger = get_task_logger(__name__)


class NotADay(ValueError):
    """What was asked for is no day."""


class Backlog(TypedDict):
    """What ``hourly_task`` returns."""

    waiting: dict[str, int]
    free_bytes: int
    swept: list[str]


class Users(TypedDict):
    """What ``daily_report`` returns."""

    day: str
    file_path: str
    users: int
    active: int


class Summary(TypedDict):
    """What ``generate_daily_report`` returns."""

    day: str
    file_path: str
    datasets: int
    runs: int
    processed: int
    rejected: int


class Removed(TypedDict):
    """What ``monthly_cleanup`` returns."""

    files: int
    bytes: int
    results: int


@app.task
def periodic_task() -> str:
    """Say that it runs, and return the moment, ISO 8601 in UTC."""
    logger.info("periodic_task runs")
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@app.task
def hourly_task() -> Backlog:
    """Look how many messages wait and how much room there is, and sweep what dead tasks left.

    Returns
    -------
    Backlog
        Messages by queue, bytes that the work folder's disk has left, and whose temporary files
        were removed.
    """
    folder = settings().work_folder
    folder.mkdir(parents=True, exist_ok=True)
    with app.connection_for_read() as connection:
        # to declare a queue that there is changes nothing, and the answer says how long it is
        waiting = {name: app.amqp.queues[name](connection).queue_declare().message_count for name in QUEUES}
    swept = sweep(older_than=DAY)
    found = Backlog(waiting=waiting, free_bytes=shutil.disk_usage(folder).free, swept=swept)
    logger.info(
        "hourly_task: %d messages wait, %d bytes are free", sum(waiting.values()), found["free_bytes"]
    )
    return found


@app.task
def daily_report() -> Users:
    """Write today's list of users to a file; a second run of the day writes it again."""
    from labtasks import reports

    day = app.now().date().isoformat()
    target, users = reports.write(f"users-{day}", reports.REPORTS["users"], reports.UsersParameters())
    active = sum(user["is_active"] for user in users)
    return Users(day=day, file_path=str(target), users=len(users), active=active)


@app.task
def weekday_task() -> dict[str, int]:
    """Count the users who wait until somebody activates them, by the domain of their address."""
    from labtasks import reports

    waiting = reports.analyse_users(reports.collect_users(reports.UsersParameters(is_active=False)))
    logger.info("weekday_task: %d users wait to be activated", len(waiting))
    return dict(Counter(user["domain"] for user in waiting))


@app.task
def monthly_cleanup(days: float = 30) -> Removed:
    """Remove what is old: files of the work folder, and results of ``process_large_dataset``.

    Dead letters that wait there for their store stay, however old they are.

    Parameters
    ----------
    days
        Nothing younger is touched; 1 at least, so that no running task loses its files.
    """
    if not days >= 1:
        raise ValueError(f"monthly_cleanup leaves what is younger than a day, not than {days:g} days")
    before = time.time() - days * DAY
    files = size = 0
    folder = settings().work_folder
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # somebody else was faster
            found = path.lstat()
            spooled = path.is_relative_to(folder / SPOOL)
            if S_ISREG(found.st_mode) and found.st_mtime < before and not spooled:
                path.unlink()
                logger.info("monthly_cleanup: removed %s", path.relative_to(folder))
                files += 1
                size += found.st_size
    removed = Removed(files=files, bytes=size, results=_forget_results(before))
    logger.info("monthly_cleanup: %(files)d files of %(bytes)d bytes, %(results)d results", removed)
    return removed


@app.task
def parameterized_task(arg1: str, arg2: str, *, key: str = "") -> dict[str, str]:
    """Return what came with the message, as an entry of the schedule gave it."""
    logger.info("parameterized_task: %s, %s, key=%s", arg1, arg2, key)
    return {"arg1": arg1, "arg2": arg2, "key": key}


@app.task
def generate_daily_report(day: str | None = None) -> Summary:
    """Add up what ``process_large_dataset`` did in a day, and write it to a file.

    Parameters
    ----------
    day
        Such as ``"2026-11-23"``, in the app's timezone; yesterday if not given. So a day on which
        nothing ran can be made up for by hand.

    Raises
    ------
    NotADay
        It is none.
    """
    from labtasks import reports

    wanted = _day(day)
    since, until = (datetime.combine(each, datetime.min.time(), app.timezone) for each in wanted)
    parameters = reports.ProcessingParameters(since=since.timestamp(), until=until.timestamp())
    name = wanted[0].isoformat()
    target, rows = reports.write(f"daily-{name}", reports.REPORTS["processing"], parameters)
    return Summary(
        day=name,
        file_path=str(target),
        datasets=len(rows),
        runs=sum(row["runs"] for row in rows),
        processed=sum(row["processed"] for row in rows),
        rejected=sum(row["rejected"] for row in rows),
    )


@app.task
def refresh_popular_articles(n: int = POPULAR) -> list[articles.Article]:
    """Cache the articles that were read most, and return them."""
    return articles.refresh(n, CACHED)


def _day(text: str | None) -> tuple[date, date]:
    """Return a day and the next; yesterday and today if none is given."""
    try:
        day = app.now().date() - timedelta(days=1) if text is None else date.fromisoformat(text)
    except (TypeError, ValueError):
        raise NotADay(f"a day looks like 2026-11-23, not like {text!r}") from None
    return day, day + timedelta(days=1)


def _forget_results(before: float) -> int:
    if settings().database_url is None:
        return 0
    from sqlalchemy import delete

    from labtasks.database import ProcessingResult, engine

    old = ProcessingResult.result_data["timestamp"].as_float() < before
    with engine().begin() as connection:
        return connection.execute(delete(ProcessingResult).where(old)).rowcount
