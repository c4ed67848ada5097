"""The people who registered."""

from collections.abc import Collection

from sqlalchemy import Delete, Update, bindparam, delete, update
from sqlalchemy.orm import Session

from labtasks.database import User, engine

_CHOSEN = User.id.in_(bindparam("ids", expanding=True))
OPERATIONS: dict[str, Update | Delete] = {
    "activate": update(User).where(_CHOSEN).values(is_active=True),
    "deactivate": update(User).where(_CHOSEN).values(is_active=False),
    "delete": delete(User).where(_CHOSEN),
}


class NoSuchUser(LookupError):
    """No user has the id that was asked for."""


def register(username: str, email: str) -> int:
    """Store a new user, not active yet, committed, and return the id."""
    with Session(engine()) as session:
        user = User(username=username, email=email)
        session.add(user)
        session.commit()
        return user.id


def change_email(user_id: int, email: str) -> None:
    """Give a user another address; ``NoSuchUser`` if there is none of that id."""
    with Session(engine()) as session:
        found = session.get(User, user_id)
        if found is None:
            raise NoSuchUser(f"there is no user {user_id}")
        found.email = email
        session.commit()


def find(user_id: int) -> User:
    """Return a user, detached from the database; ``NoSuchUser`` if there is none of that id."""
    with Session(engine()) as session:
        found = session.get(User, user_id)
        if found is None:
            raise NoSuchUser(f"there is no user {user_id}")
        session.expunge(found)
        return found


def change(user_ids: Collection[int], operation: str) -> int:
    """Do one of ``OPERATIONS`` to users, in one statement, committed.

    Returns
    -------
    int
        How many of them there were.
    """
    with engine().begin() as connection:
        return connection.execute(OPERATIONS[operation], {"ids": list(user_ids)}).rowcount
