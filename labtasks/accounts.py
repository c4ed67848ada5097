"""Accounts, and what is taken from them: each order once."""

from typing import TypedDict

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from labtasks.database import Account, Payment, engine


class NoSuchAccount(LookupError):
    """No account has the name that was asked for."""


class NotEnough(ValueError):
    """There is less on the account than was to be taken; nothing was."""


class OrderMismatch(ValueError):
    """The order was charged before, with another amount or to another account."""


class Receipt(TypedDict):
    """What was taken, the same the first time and every other."""

    receipt: int
    order: str
    account: str
    amount: int


def open_account(name: str, balance: int) -> None:
    """Store a new account, committed; money is counted in the smallest coin."""
    with Session(engine()) as session:
        session.add(Account(name=name, balance=balance))
        session.commit()


def balance_of(name: str) -> int:
    """Return what is on an account; ``NoSuchAccount`` if there is none of that name."""
    with Session(engine()) as session:
        return _account(session, name).balance


def receipts(account: str) -> list[Receipt]:
    """Return what was taken from an account, oldest first."""
    with Session(engine()) as session:
        found = session.scalars(select(Payment).where(Payment.account == account).order_by(Payment.id))
        return [_receipt(payment) for payment in found]


def take(order: str, account: str, amount: int) -> Receipt:
    """Take the amount of an order from an account, unless that was done before.

    The order, which is unique, and the new balance are written in one transaction: there are both
    or neither, whenever the process is killed. A second process that charges the same order at the
    same time waits for the end of the first one's transaction, and then finds the order there.

    Raises
    ------
    NoSuchAccount, NotEnough, OrderMismatch
        Nothing was taken.
    """
    with Session(engine()) as session:
        payment = Payment(order_id=order, account=account, amount=amount)
        session.add(payment)
        try:
            session.flush()  # first of all: whoever comes second stops here, before the money moves
        except IntegrityError:
            session.rollback()
            return _receipt(_charged(session, order, account, amount))
        enough = (Account.name == account, Account.balance >= amount)
        taken = session.execute(
            update(Account).where(*enough).values(balance=Account.balance - amount).returning(Account.name)
        )
        if taken.first() is None:
            there = _account(session, account).balance
            raise NotEnough(f"{account} has {there}, and order {order} costs {amount}")
        receipt = _receipt(payment)
        session.commit()
        return receipt


def _charged(session: Session, order: str, account: str, amount: int) -> Payment:
    """Return the payment that stands in the way of another for the same order."""
    payment = session.scalar(select(Payment).where(Payment.order_id == order))
    if payment is None:  # then it was the account that the database missed
        raise NoSuchAccount(f"there is no account {account}")
    if (payment.account, payment.amount) != (account, amount):
        raise OrderMismatch(
            f"order {order} was charged before, {payment.amount} to {payment.account}, "
            f"and not {amount} to {account}"
        )
    return payment


def _account(session: Session, name: str) -> Account:
    found = session.get(Account, name)
    if found is None:
        raise NoSuchAccount(f"there is no account {name}")
    return found


def _receipt(payment: Payment) -> Receipt:
    return Receipt(receipt=payment.id, order=payment.order_id, account=payment.account, amount=payment.amount)
