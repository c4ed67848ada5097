"""The tables, on SQLite or any other database that SQLAlchemy knows."""

import os
from typing import Any

from sqlalchemy import JSON, BigInteger, Connection, Engine, ForeignKey, create_engine, false, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateColumn

from labtasks.settings import SettingsError, settings

BUSY_TIMEOUT = 30  # s that a process waits until another has written to the same SQLite file
CONNECT_TIMEOUT = 5  # s
# makes one process wait for another that makes the tables at the same moment
ONE_AT_A_TIME = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(20260)"}


class Base(DeclarativeBase):
    """Of every table of the course."""


class User(Base):
    """Somebody who registered; active once somebody else has agreed."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=False, server_default=false())


class Dataset(Base):
    """Items to process."""

    __tablename__ = "datasets"

    id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class ProcessingResult(Base):
    """What one task made of a dataset."""

    __tablename__ = "processing_results"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    task_id: Mapped[str | None] = mapped_column(unique=True)
    data: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    result_data: Mapped[dict[str, Any]] = mapped_column(JSON)


class Account(Base):
    """A customer's money, in the smallest coin."""

    __tablename__ = "accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger)


class Payment(Base):
    """An order that was charged; its number is unique, so that it is charged once."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(unique=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name"))
    amount: Mapped[int] = mapped_column(BigInteger)


def engine() -> Engine:
    """Return the engine of ``CELERYLAB_DATABASE_URL``, its tables made.

    Made at the first call in a process, so that no two processes share a connection: not even
    those of a worker's pool that are forked from a main process which has one.
    """
    url = settings().database_url
    if url is None:
        raise SettingsError(
            "CELERYLAB_DATABASE_URL is not set. In a notebook, run lab.start() first; "
            "elsewhere, set it to an address such as sqlite:///users.sqlite3."
        )
    return _engine(url)


def look_again() -> None:
    """Close the engine; the next one that is made may know more tables."""
    for made in _made.values():
        made.dispose()
    _made.clear()


_made: dict[str, Engine] = {}  # by address; one at most
_inherited: list[Engine] = []


def _leave_to_parent() -> None:
    # kept, and not touched: to close them would end the connections of the process they belong to
    _inherited.extend(_made.values())
    _made.clear()


def _engine(url: str) -> Engine:
    if url not in _made:
        look_again()
        _made[url] = _make(url)
    return _made[url]


def _make(url: str) -> Engine:
    waits = {"sqlite": {"timeout": BUSY_TIMEOUT}, "postgresql": {"connect_timeout": CONNECT_TIMEOUT}}
    kind = url.partition(":")[0].partition("+")[0]
    # a server that was restarted has closed what the pool holds
    made = create_engine(url, connect_args=waits.get(kind, {}), pool_pre_ping=kind != "sqlite")
    with made.connect() as connection:
        complete = not _missing(connection)
    if not complete:
        with made.begin() as connection:
            if lock := ONE_AT_A_TIME.get(connection.dialect.name):
                connection.exec_driver_sql(lock)
            Base.metadata.create_all(connection)
            for statement in _missing(connection):  # of tables made by an earlier version
                connection.exec_driver_sql(statement)
    return made


def _missing(connection: Connection) -> list[str]:
    """Return the statements that add what the database lacks; of a missing table, its columns."""
    look = inspect(connection)
    tables = set(look.get_table_names())
    statements = []
    for table in Base.metadata.sorted_tables:
        there = {column["name"] for column in look.get_columns(table.name)} if table.name in tables else set()
        for column in table.columns:
            if column.name not in there:
                what = CreateColumn(column).compile(dialect=connection.dialect)
                statements.append(f"ALTER TABLE {table.name} ADD COLUMN {what}")
    return statements


os.register_at_fork(after_in_child=_leave_to_parent)
