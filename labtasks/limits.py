"""Tasks with an end: in time, and with nothing left behind."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from celery import Task
from celery.exceptions import SoftTimeLimitExceeded
from celery.utils.log import get_task_logger

from labtasks.app import app
from labtasks.files import replacing
from labtasks.keeping import redis
from labtasks.scratch import ScratchTask, scratch
from labtasks.seats import NoSeatFree, Seats
from labtasks.settings import settings

SEATS = 2
TIME_LIMIT = 360  # s
AGAIN = 1.0  # s until a task that found no seat asks again
LONGEST_WAIT = 600  # times

Tables = Mapping[str, Sequence[Mapping[str, Any]]]

logger = get_task_logger(__name__)


class Primes(TypedDict):
    """What ``time_limited_task`` returns."""

    count: int
    up_to: int
    complete: bool


class Archived(TypedDict):
    """What ``resource_managed_task`` returns."""

    path: str
    files: int


@app.task(soft_time_limit=300, time_limit=TIME_LIMIT)
def time_limited_task(most: int) -> Primes:
    """Count the primes up to a number, as far as five minutes allow.

    Returns
    -------
    Primes
        ``complete`` is false if the time was not enough: then ``count`` goes up to ``up_to`` alone.
    """
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise ValueError(f"most must be a whole number from 0 on, not {most!r}")
    primes: list[int] = []
    number = 1
    try:
        while number < most:
            candidate = number + 1
            if _is_prime(candidate, primes):
                primes.append(candidate)
            number = candidate
    except SoftTimeLimitExceeded:
        logger.warning("stopped at %d of %d", number, most)
    complete = number >= most
    # stopped between two lines, the last one found may lie beyond `number`
    found = sum(prime <= number for prime in primes)
    return Primes(count=found, up_to=most if complete else number, complete=complete)


def _is_prime(candidate: int, primes: Sequence[int]) -> bool:
    for prime in primes:
        if prime * prime > candidate:
            return True
        if candidate % prime == 0:
            return False
    return True


class SeatedTask(ScratchTask):
    """A task whose seat and temporary files are given back even if its process was killed."""

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Give everything back."""
        super().on_failure(exc, task_id, args, kwargs, einfo)
        seats().give_back(task_id)


@app.task(bind=True, base=SeatedTask, time_limit=TIME_LIMIT)
def resource_managed_task(
    self: "Task[Any, Any]", tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Archived:
    """Pack tables as CSV files into one archive, of which only so many are made at once.

    A task that finds no seat comes back later, and holds no process meanwhile.

    Parameters
    ----------
    tables
        Rows by the name of the table.

    Returns
    -------
    Archived
        ``path`` of the ZIP file, below the work folder.

    Raises
    ------
    ValueError
        There is no table, or a name that can be no file's.
    """
    for name in tables or [""]:
        if not name or "/" in name or name.startswith("."):
            raise ValueError(f"a table needs a name that a file can have, not {name!r}")
    task_id = self.request.id or "called-directly"
    try:
        with seats().held(task_id), scratch(task_id) as folder:
            for name, rows in tables.items():
                columns = sorted({column for row in rows for column in row})
                with (folder / f"{name}.csv").open("w", newline="") as file:
                    writer = csv.DictWriter(file, columns)
                    writer.writeheader()
                    writer.writerows(rows)
            target = settings().work_folder / "archives" / f"{task_id}.zip"
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as draft:
                shutil.make_archive(str(draft.with_suffix("")), "zip", folder)
    except NoSeatFree as none_free:
        raise self.retry(exc=none_free, countdown=AGAIN, max_retries=LONGEST_WAIT) from none_free
    return Archived(path=str(target), files=len(tables))


def seats() -> Seats:
    """Return the seats of ``resource_managed_task``, held a little longer than a task may run."""
    return Seats(redis(), "archives", SEATS, TIME_LIMIT + 30)
