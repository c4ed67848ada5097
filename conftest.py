"""For every test and every notebook: a data directory that is not the developer's."""

import os
import shutil
import tempfile

import pytest

HOME = "CELERYLAB_HOME"


def pytest_configure() -> None:
    """Record the progress of tests elsewhere than the developer's own."""
    os.environ[HOME] = tempfile.mkdtemp(prefix="celery-lab-tests-")
    # whoever starts the tests from a notebook's terminal must not lend them its broker
    os.environ.pop("CELERYLAB_BROKER_URL", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, the cells of a notebook above all.

    A file whose tests are long and share nothing says so: ``pytestmark = pytest.mark.spread``.
    """
    for item in items:
        if not item.get_closest_marker("spread"):
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))


def pytest_unconfigure() -> None:
    """Remove what the tests have recorded."""
    shutil.rmtree(os.environ[HOME], ignore_errors=True)
