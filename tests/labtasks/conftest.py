"""What the tests of tasks share."""

from collections.abc import Iterator

import pytest

from celerylab import Lab
from celerylab.stack.postgres import Postgres
from labtasks import database


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    with Postgres() as server:
        yield server.url
        database.look_again()  # a connection that is left open is told of in some later test
