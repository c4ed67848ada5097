"""Tasks whose worker died: found, marked, and sent again if that is safe."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from celery.utils.log import get_task_logger
from kombu.utils import json as kombu_json
from sqlalchemy import Connection, Engine, or_, select, update

from labtasks import database
from labtasks.alerts import send_alert
from labtasks.records.leases import dead
from labtasks.records.states import LOST, RECEIVED, RUNNING
from labtasks.records.storing import RECORDS, refresh
from labtasks.records.writer import transaction

if TYPE_CHECKING:
    from celery import Celery

RESENDS = 3  # of one task: what kills a worker each time must end some day
COMES_BACK = 3600.0  # s: visibility timeout of Redis, if nothing else is set

logger = get_task_logger(__name__)


class Recovered(TypedDict):
    """Ids of tasks."""

    lost: list[str]
    sent_again: list[str]


class Lost(NamedTuple):
    """A task that was lost.

    Attributes
    ----------
    task_id, name, worker, job
        Of the record.
    because
        What is known of its worker.
    message
        What to send again; ``None`` if that is not safe, or was done too often.
    queue, retries
        Where to, and how often it had been retried.
    """

    task_id: str
    name: str | None
    worker: str | None
    job: str | None
    because: str
    message: str | None
    queue: str | None
    retries: int


def find_lost(lease: float, comes_back: float, engine: Callable[[], Engine] = database.engine) -> list[Lost]:
    """Mark the tasks whose worker is dead, each once whoever looks besides, and return them.

    What a worker had received and not begun is not lost: its message is not acknowledged, and
    comes back. A worker that dies within moments of beginning a task may not have told so;
    therefore such a record counts as lost when its message should have been back long since.

    Parameters
    ----------
    lease
        Seconds of silence after which a worker is suspected.
    comes_back
        Seconds after which the broker gives a dead worker's messages to others.
    """
    running = RECORDS.c.state.in_(RUNNING)
    overdue = (RECORDS.c.state == RECEIVED) & (RECORDS.c.changed_at < time.time() - comes_back - lease)
    with transaction(engine()) as connection:
        found = connection.execute(
            select(RECORDS.c.instance, RECORDS.c.worker)
            .where(or_(running, overdue), RECORDS.c.instance.is_not(None))
            .distinct()
        ).all()
        why = dead(connection, {row.instance: row.worker for row in found}, lease)
        rows = connection.execute(
            select(RECORDS).where(
                or_(
                    or_(running, overdue) & RECORDS.c.instance.in_(list(why)),
                    # marked before, by somebody who died before it was sent
                    (RECORDS.c.state == LOST)
                    & RECORDS.c.message.is_not(None)
                    & (RECORDS.c.finished_at < time.time() - lease),
                )
            )
        ).all()
        lost = [one for row in rows if (one := _mark(connection, row, why)) is not None]
        refresh(connection, {one.job for one in lost if one.job})
    return lost


def _mark(connection: Connection, row: Any, why: dict[str, str]) -> Lost | None:
    resent = row.resent or 0
    message = row.message if resent < RESENDS else None
    because = why.get(row.instance) or row.lost_because or "its worker is dead"
    # the moment of the last change stays: whatever the task tells later, if it lives after all, counts
    marked = connection.execute(
        update(RECORDS)
        .where(
            RECORDS.c.task_id == row.task_id,
            RECORDS.c.state == row.state,
            RECORDS.c.changed_at == row.changed_at,
            RECORDS.c.finished_at.is_not_distinct_from(row.finished_at),
        )
        .values(
            state=LOST,
            finished_at=time.time(),
            lost_because=because,
            message=message,
            resent=resent + (message is not None),
        )
    )
    if not marked.rowcount:  # another change came first, or another watchdog
        return None
    return Lost(row.task_id, row.name, row.worker, row.job, because, message, row.queue, row.retries)


def send_again(app: "Celery", lost: Lost) -> None:
    """Send a lost task again, under its own id, to the queue that it came from."""
    assert lost.message is not None
    args, kwargs, embed = kombu_json.loads(lost.message)  # type: ignore[no-untyped-call]
    app.send_task(
        lost.name,
        args,
        kwargs,
        task_id=lost.task_id,
        queue=lost.queue,
        retries=lost.retries,
        headers={"job": lost.job} if lost.job else None,
        link=embed.get("callbacks"),
        link_error=embed.get("errbacks"),
        chain=embed.get("chain"),
        chord=embed.get("chord"),
    )


def recover(
    app: "Celery",
    lease: float,
    comes_back: float = COMES_BACK,
    *,
    engine: Callable[[], Engine] = database.engine,
    alert: Callable[..., Any] = send_alert,
) -> Recovered:
    """Find the tasks whose worker died, mark them, send again what may be, and tell a person.

    Call it in a task that Beat sends twice in a lease.

    Parameters
    ----------
    app
        Sends again.
    lease, comes_back, engine
        As of ``find_lost``.
    alert
        Called once for each, with a line of text and details by name.
    """
    lost = find_lost(lease, comes_back, engine)
    sent = []
    for one in lost:
        what = "not sent again"
        if one.message is not None:
            try:
                send_again(app, one)
            except Exception:
                logger.exception("%s can't be sent again now; it is tried again later", one.task_id)
            else:
                what = "sent again"
                sent.append(one.task_id)
        try:
            text = f"{one.name or 'a task'} was lost: {one.because}; {what}"
            alert(text, id=one.task_id, task=one.name, worker=one.worker, job=one.job)
        except Exception as error:  # noqa: BLE001  # alerting may fail in any way; it is in its record
            logger.error("nobody took the alert of %s: %s", one.task_id, error)
    return Recovered(lost=[one.task_id for one in lost], sent_again=sent)
