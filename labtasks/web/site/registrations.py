"""Who has registered on the site, and whether the welcome mail is on its way.

The row and the id of the task that will send the mail are written in one transaction. Whatever
happens between that and the broker, the database knows which mails are still to be sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from celery.utils import uuid
from sqlalchemy import DateTime, ForeignKey, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from labtasks.database import Base, User, engine
from labtasks.users import NoSuchUser


class AlreadyRegistered(Exception):
    """Somebody has registered with this address."""


class Registration(Base):
    """A registration, and its mail."""

    __tablename__ = "registrations"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    task_id: Mapped[str] = mapped_column(unique=True)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def register(username: str, email: str) -> Registration:
    """Store a user, committed; the result has the id that the task of the mail must have.

    Raises
    ------
    AlreadyRegistered
        There is one with this address, in any spelling of its letters.
    """
    with Session(engine(), expire_on_commit=False) as session:
        user = User(username=username, email=email)
        session.add(user)
        session.flush()
        made = Registration(
            user_id=user.id, email=email.lower(), task_id=uuid(), registered_at=datetime.now(UTC)
        )
        session.add(made)
        try:
            session.commit()
        except IntegrityError as error:
            raise AlreadyRegistered(email) from error
        session.expunge(made)
        return made


def find(task_id: str) -> Registration | None:
    """Return the registration whose mail a task sends."""
    with Session(engine(), expire_on_commit=False) as session:
        return session.scalars(select(Registration).where(Registration.task_id == task_id)).one_or_none()


def waiting(longer_than: timedelta) -> list[Registration]:
    """Return the registrations of some time ago whose mail has not been sent, the oldest first."""
    before = datetime.now(UTC) - longer_than
    chosen = (
        select(Registration)
        .where(Registration.mailed_at.is_(None), Registration.registered_at < before)
        .order_by(Registration.registered_at)
    )
    with Session(engine(), expire_on_commit=False) as session:
        return list(session.scalars(chosen))


@contextmanager
def mailing(user_id: int) -> Iterator[User | None]:
    """Give the user whose mail is to be sent in the block, or ``None`` if it has been sent.

    Who comes meanwhile waits, and then gets ``None``. If the block raises, the mail is still to
    be sent. On SQLite, nobody else writes while the block runs.

    Raises
    ------
    NoSuchUser
        Nobody of that id has registered.
    """
    claim = (
        update(Registration)
        .where(Registration.user_id == user_id, Registration.mailed_at.is_(None))
        .values(mailed_at=datetime.now(UTC))
    )
    with Session(engine()) as session, session.begin():
        claimed = session.connection().execute(claim).rowcount
        user = session.get(User, user_id)
        if user is None or session.get(Registration, user_id) is None:
            raise NoSuchUser(f"user {user_id} has not registered")
        yield user if claimed else None
