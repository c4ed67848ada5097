"""For every test and every notebook: a data directory that is not the developer's."""

import os
import shutil
import tempfile

import pytest

HOME = "CELERYLAB_HOME"


def pytest_configure(config: pytest.Config) -> None:
    """Record the progress of tests elsewhere than the developer's own."""
    os.environ[HOME] = tempfile.mkdtemp(prefix="celery-lab-tests-")
    # whoever starts the tests from a notebook's terminal must not lend them its broker
    os.environ.pop("CELERYLAB_BROKER_URL", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the tests have recorded."""
    shutil.rmtree(os.environ[HOME], ignore_errors=True)
