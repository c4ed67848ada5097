"""Users by the hundred: a task that becomes a chord of batches, and waits for none of them."""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import msgspec
from celery import Task, chord
from celery.utils.log import get_task_logger

from labtasks.app import app

logger = get_task_logger(__name__)

LARGEST = 10_000  # ids of one statement; a database takes some 30,000 parameters
Ids = list[Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]]


class OperationNotAllowed(ValueError):
    """An operation that is not on the list of those that users may be put through."""


class Counts(TypedDict):
    """What ``process_user_batch`` returns."""

    processed: int
    failed: int


class Summary(TypedDict):
    """What ``batch_process_users`` returns."""

    total_users: int
    processed: int
    failed: int
    operation: str


@app.task(bind=True)
def batch_process_users(
    self: "Task[Any, Any]", user_ids: Sequence[int], operation: str, batch_size: int = 100
) -> Summary:
    """Do something to many users, in batches that run side by side.

    The task replaces itself by a chord: one ``process_user_batch`` a batch, and
    ``summarise_batches``, whose return value becomes this task's result.

    Parameters
    ----------
    user_ids
        An id that comes twice counts once.
    operation
        ``"activate"``, ``"deactivate"`` or ``"delete"``.
    batch_size
        Users in a batch, 1 to 10,000.

    Returns
    -------
    Summary
        An id that nobody has counts as failed.

    Raises
    ------
    OperationNotAllowed
        There is no such operation; nothing was sent.
    ValueError
        ``batch_size`` or an id is out of range; nothing was sent.
    """
    ids = checked(user_ids, operation)
    if not (isinstance(batch_size, int) and 1 <= batch_size <= LARGEST):
        raise ValueError(f"batch_size is 1 to {LARGEST}, not {batch_size!r}")
    if not ids:
        return summarise_batches.run([], operation)  # type: ignore[no-any-return]
    batches = [ids[start : start + batch_size] for start in range(0, len(ids), batch_size)]
    header = [process_user_batch.s(batch, operation) for batch in batches]
    raise self.replace(chord(header, summarise_batches.s(operation)))


@app.task
def process_user_batch(user_ids: Sequence[int], operation: str) -> Counts:
    """Do something to users in one statement, all or none of them.

    If the database fails, they all count as failed: the other batches go on.

    Raises
    ------
    OperationNotAllowed, ValueError
        As of ``batch_process_users``.
    """
    ids = checked(user_ids, operation)
    if len(ids) > LARGEST:
        raise ValueError(f"a batch has up to {LARGEST} users, not {len(ids)}")
    from sqlalchemy.exc import DBAPIError

    from labtasks import users

    try:
        processed = users.change(ids, operation)
    except DBAPIError as error:
        logger.error("%s of %d users failed, none was changed: %s", operation, len(ids), error.orig)
        processed = 0
    return Counts(processed=processed, failed=len(ids) - processed)


@app.task
def summarise_batches(batches: Sequence[Counts], operation: str) -> Summary:
    """Add up what the batches of a chord returned."""
    processed = sum(batch["processed"] for batch in batches)
    failed = sum(batch["failed"] for batch in batches)
    return Summary(total_users=processed + failed, processed=processed, failed=failed, operation=operation)


def checked(user_ids: object, operation: object) -> list[int]:
    """Return the ids, each once, if they are ids and the operation is allowed."""
    from labtasks.users import OPERATIONS  # SQLAlchemy: a worker without a database need not hold it

    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise OperationNotAllowed(f"operation {operation!r} is not allowed; allowed: {', '.join(OPERATIONS)}")
    try:
        ids = msgspec.convert(user_ids, Ids)
    except msgspec.ValidationError as error:
        raise ValueError(f"user_ids: {error}") from None
    return list(dict.fromkeys(ids))
