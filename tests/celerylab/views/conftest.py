"""One lab for all files whose tests send canvases: the producer's app is bound to its broker."""

from collections.abc import Iterator

import pytest

from celerylab import Lab
from tests.celerylab.views.producer import app


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start()
    app.conf.update(broker_url=made.url, result_backend=made.url)
    yield made
    made.stop()
