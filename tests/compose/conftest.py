"""Stacks of containers, where there is an engine."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from celerylab.stack.ports import free_port
from tests.compose.stack import Stack

# the faults are the same in seconds as in hours
SETTINGS = {"ACKS_LATE": "true", "VISIBILITY_TIMEOUT": "10", "PERIODIC_SECONDS": "12"}


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where no engine runs, but fail where one must."""
    found = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True)
    if not found.returncode:
        found = subprocess.run(["docker", "info"], capture_output=True, text=True)
    if found.returncode:
        reason = f"no Docker engine with Compose: {found.stderr.strip()}"
        assert not os.environ.get("CELERYLAB_ENGINE_REQUIRED"), reason
        pytest.skip(reason)


@pytest.fixture(scope="module")
def idle(engine: None, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of which nothing runs yet, its images built."""
    names = ("FLOWER_PORT", "JUPYTER_PORT", "API_PORT")
    ports = {name: str(free_port()) for name in names}
    name = f"celery-lab-{request.module.__name__.rpartition('.')[2].replace('_', '-')}"
    stack = Stack(name, {**SETTINGS, **ports})
    stack.run("build", "-q")
    yield stack
    stack.run("--profile", "*", "down", "-v", "--timeout", "1", check=False)


@pytest.fixture(scope="module")
def stack(idle: Stack) -> Stack:
    """A stack that is up."""
    idle.run("up", "--wait")
    return idle
