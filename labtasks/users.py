"""The people who registered: a table, SQLite or any other database that SQLAlchemy knows."""

from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from labtasks.settings import SettingsError, settings


class NoSuchUser(LookupError):
    """No user has the id that was asked for."""


class Base(DeclarativeBase):
    """Of every table of the course."""


class User(Base):
    """Somebody who registered."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return the engine of ``CELERYLAB_DATABASE_URL``, its tables made.

    Made at the first call: in a prefork worker that is after the fork, so that no two
    processes share a connection.
    """
    url = settings().database_url
    if url is None:
        raise SettingsError(
            "CELERYLAB_DATABASE_URL is not set. In a notebook, run lab.start() first; "
            "elsewhere, set it to an address such as sqlite:///users.sqlite3."
        )
    made = create_engine(url)
    Base.metadata.create_all(made)
    return made


def register(username: str, email: str) -> int:
    """Store a new user, committed, and return the id."""
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
