"""Beat's look after records: tasks whose worker died, jobs that nobody works for any more."""

from typing import TYPE_CHECKING, TypedDict

from celery.utils.log import get_task_logger

from labtasks.app import app
from labtasks.settings import settings

if TYPE_CHECKING:
    from labtasks.records.lost import Recovered

QUIET = 600.0  # s

logger = get_task_logger(__name__)


class Cleaned(TypedDict):
    """What ``cleanup_stale_sessions`` returns."""

    closed: list[str]
    removed: dict[str, int]


@app.task(name="picker_import.watchdog")
def watchdog() -> "Recovered":
    """Find the tasks whose worker died, mark them ``LOST``, and tell a person.

    A worker is dead if it has ended, or if it was silent for longer than its lease and did not
    answer a suspicion; so it takes two runs at least. How long a task runs says nothing: one that
    lives is left alone. A task that lives after all takes its record back with what it tells next.

    Tasks with ``resend_if_lost`` are sent again, under the same id, a few times at most.
    """
    from labtasks.records.lost import recover

    read = settings()
    return recover(app, read.records_lease, read.visibility_timeout)


@app.task(name="session_recovery.cleanup_stale_sessions")
def cleanup_stale_sessions(quiet: float = QUIET) -> Cleaned:
    """Close the jobs that nobody works for any more, and remove what is too old.

    Parameters
    ----------
    quiet
        Seconds without any change after which tasks of a job that were never sent are given up.
    """
    from labtasks.database import engine
    from labtasks.records.jobs import close_stale, forget
    from labtasks.records.writer import transaction

    with transaction(engine()) as connection:
        closed = close_stale(connection, quiet)
        removed = forget(connection, settings().records_days)
    for job in closed:
        logger.warning("job %s was left open, and is closed", job)
    return Cleaned(closed=closed, removed=removed)
