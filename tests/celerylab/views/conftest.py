"""One lab for all files whose tests send canvases: the producer's app is bound to its broker."""

import os
from collections.abc import Iterator

import pytest

from celerylab import Lab
from tests.celerylab.views.producer import app


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    before = dict(os.environ)
    made = Lab()
    made.start()
    # it outlives this folder's tests: the labs of others must not attach to it
    os.environ.clear()
    os.environ.update(before)
    app.conf.update(broker_url=made.url, result_backend=made.url)
    yield made
    made.stop()
