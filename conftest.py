"""For every test and every notebook: a data directory that is not the developer's."""

import os
import re
import shutil
import tempfile

import hypothesis
import pytest
from jupyter_client.connect import LocalPortCache
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from celerylab.stack.ports import free_port

HOME = "CELERYLAB_HOME"
# long tests that share nothing, each free to run in any process
SPREAD = ("tests/celerylab/test_jupyter.py",)
# tests of one exercise share its attempts
BY_EXERCISE = "tests/exercises/test_every_exercise.py"
EXERCISE = re.compile(r"\[(\d+-\d+[a-z])")
# begun first: a long file that begins last leaves the other processes idle at the end
LONGEST = (
    "tests/labtasks/test_survival",
    "tests/celerylab/test_offline",
    "tests/browser/test_course",
    "notebooks/phase4/4_6_",
    "notebooks/phase1/1_4_",
    "notebooks/phase2/2_6_",
    "notebooks/phase2/2_3_",
    "notebooks/",
)


def pytest_configure() -> None:
    """Record the progress of tests elsewhere than the developer's own."""
    os.environ[HOME] = tempfile.mkdtemp(prefix="celery-lab-tests-")
    # whoever starts the tests from a notebook's terminal must not lend them its broker
    os.environ.pop("CELERYLAB_BROKER_URL", None)
    # a busy machine lets any example wait
    hypothesis.settings.register_profile("lab", deadline=None)
    hypothesis.settings.load_profile("lab")
    # a kernel binds its ports seconds after they were chosen, among those that all other processes get
    LocalPortCache.find_available_port = lambda _, host: free_port(host)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""

    def place(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))

    items.sort(key=place)


class Scheduling(LoadScopeScheduling):
    """Keeps the tests of a file in one process, the cells of a notebook above all."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path == BY_EXERCISE and (found := EXERCISE.search(nodeid)):
            return f"{path} {found[1]}"
        return nodeid if path in SPREAD else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give pytest-xdist the way in which it hands out tests."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_unconfigure() -> None:
    """Remove what the tests have recorded."""
    shutil.rmtree(os.environ[HOME], ignore_errors=True)
