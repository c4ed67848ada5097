"""What the tests of tasks share."""

from collections.abc import Iterator

import pytest

from celerylab import Lab
from celerylab.stack.postgres import Postgres


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
