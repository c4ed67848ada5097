"""Payments: a task that may be delivered twice, and charges once."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from labtasks.app import app
from labtasks.parameters import read

if TYPE_CHECKING:
    from labtasks.accounts import Receipt

LARGEST = 2**63 - 1  # what a column of the database takes
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Charge(msgspec.Struct):
    """What ``charge`` is called with."""

    order: Name
    account: Name
    amount: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]


@app.task(acks_late=True, retry_on_worker_lost=True, default_retry_delay=5)
def charge(order: str, account: str, amount: int) -> "Receipt":
    """Charge an order to an account, once.

    Its message is acknowledged when it is done, so that it is not lost with its worker. It may
    therefore run twice, for one message as for two; the second run returns the first one's
    receipt, because the order's number is written in the same transaction as the new balance.

    Parameters
    ----------
    order
        Number of the order: what makes two calls the same charge.
    account
        Name of an account.
    amount
        To take from it, in the smallest coin; 1 or more.

    Raises
    ------
    BadParameters
        A parameter holds what it can't.
    NoSuchAccount, NotEnough, OrderMismatch
        See ``labtasks.accounts``; nothing was taken.
    """
    from labtasks import accounts  # SQLAlchemy: a worker without a database need not hold it

    asked = read({"order": order, "account": account, "amount": amount}, Charge, "charge")
    return accounts.take(asked.order, asked.account, asked.amount)
