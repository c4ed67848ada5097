"""The states of a record, and which may follow which.

State changes come to the database from several processes, in any order: a batch of one process may
be written after that of another which tells of a later moment. ``follows`` decides by what a change
says, not by when it arrives.
"""

from typing import Any, NamedTuple

from celery import states

PENDING: str = states.PENDING
RECEIVED: str = states.RECEIVED
STARTED: str = states.STARTED
RETRY: str = states.RETRY
REJECTED: str = states.REJECTED  # and put back into its queue
IGNORED: str = states.IGNORED
SUCCESS: str = states.SUCCESS
FAILURE: str = states.FAILURE
REVOKED: str = states.REVOKED
PROGRESS = "PROGRESS"
LOST = "LOST"  # its worker died, as far as anybody can tell

STATES = (
    PENDING, RECEIVED, STARTED, PROGRESS, RETRY, REJECTED, LOST, IGNORED, REVOKED, FAILURE, SUCCESS,
)  # fmt: skip
OPENING = frozenset((RECEIVED, STARTED))  # of a run
COMES_AGAIN = frozenset((RETRY, REJECTED))
ENDED = frozenset((SUCCESS, FAILURE, REVOKED, IGNORED))
OPEN = frozenset(STATES) - ENDED
RUNNING = frozenset((STARTED, PROGRESS))

_RANK: dict[str, int] = {PENDING: 0, RECEIVED: 1, STARTED: 2, PROGRESS: 3} | dict.fromkeys(
    (*COMES_AGAIN, LOST, *ENDED), 4
)


class Seen(NamedTuple):
    """A state and where it belongs.

    Attributes
    ----------
    state
        One of ``STATES``.
    retries
        How often the task had been retried by then.
    at
        When it came about, in seconds since 1970. Of ``PROGRESS``: when the run began, so that no
        progress is later than the end of its run.
    """

    state: str
    retries: int
    at: float


def follows(old: Seen | None, new: Seen) -> bool:
    """Say whether a record in one state takes on another.

    A success is final, whatever else is told later. What else has ended, ends a run: another
    delivery of the message may begin a new one, later. A retry counts more than what was before it.
    """
    if old is None or old.state == PENDING:
        return old is None or new.state != PENDING
    if SUCCESS in (old.state, new.state):
        return old.state != SUCCESS
    again = old.state in ENDED or old.state in COMES_AGAIN or old.state == LOST
    if new.state in OPENING and again and new.at > old.at:
        return True
    if new.retries != old.retries:
        return new.retries > old.retries
    if new.at < old.at or (new.state == PENDING and old.state != LOST):
        return False
    return _in_one_attempt(old, new)


def _in_one_attempt(old: Seen, new: Seen) -> bool:
    """Say the same of two changes of one attempt, the new one not earlier than the old one."""
    if old.state == LOST:
        return True
    if old.state in ENDED:
        return False
    if old.state in COMES_AGAIN:
        return new.state in ENDED
    return new.at > old.at or _RANK[new.state] >= _RANK[old.state]


def apply(row: dict[str, Any], change: dict[str, Any]) -> bool:
    """Add what a change says to the row of a record.

    Parameters
    ----------
    row
        By column, changed in place; empty if there was no record.
    change
        ``state``, ``retries``, ``at``, and other columns by name.

    Returns
    -------
    bool
        Whether the record has taken on the state. What has happened at which time is filled in
        even if it has not.
    """
    new = Seen(change["state"], change["retries"], change["at"])
    old = Seen(row["state"], row["retries"], row["changed_at"]) if row else None
    taken = follows(old, new)
    column = _MOMENT.get(new.state)
    if taken:
        if new.state != PROGRESS:
            row.update(dict.fromkeys(_OF_A_RUN))
        if new.state == PROGRESS and (row.get("progress_at") or 0.0) > change["progress_at"]:
            change = change | {"progress_at": row["progress_at"], "progress": row["progress"]}
        row.update(
            {name: value for name, value in change.items() if name != "at" and value is not None},
            changed_at=new.at,
        )
        if column:
            row[column] = new.at
    else:
        for name, value in change.items():
            if name not in ("at", "state", "retries", *_OF_A_RUN) and row.get(name) is None:
                row[name] = value
        if column in _MET and row.get(column) is None:
            row[column] = new.at
    return taken


_MOMENT = {PENDING: "sent_at", RECEIVED: "received_at", STARTED: "started_at"} | dict.fromkeys(
    (*ENDED, LOST), "finished_at"
)
_MET = ("sent_at", "received_at", "started_at")
_OF_A_RUN = (
    "finished_at", "runtime", "returned", "error", "traceback", "progress", "progress_at", "lost_because",
)  # fmt: skip
