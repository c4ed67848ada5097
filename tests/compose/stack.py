"""A stack of the project's containers, driven by the command that people type."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILES = ("docker-compose.yml", "tests/compose/docker-compose.test.yml")
DEADLINE = 180.0
# a program of the tests', in a container, sees what the services see
PRELUDE = """
import json, os, sys, time
from celerylab.container.services import lab_environment
os.environ.update(lab_environment())
import redis
from labtasks import basics
broker = redis.Redis.from_url(os.environ["CELERYLAB_BROKER_URL"])
"""


class Stack:
    """One Compose project of a test's own.

    Parameters
    ----------
    name
        The project's name.
    env
        What ``.env`` would say.
    """

    def __init__(self, name: str, env: dict[str, str]) -> None:
        self.name = name
        files = [part for file in FILES for part in ("-f", str(ROOT / file))]
        self.command = ["docker", "compose", "-p", name, *files]
        self.env = {**os.environ, **env}

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``docker compose`` to its end."""
        done = subprocess.run(
            [*self.command, *arguments], env=self.env, capture_output=True, text=True, timeout=600, cwd=ROOT
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr + self.log()
        return done

    def log(self) -> str:
        """What the services printed last."""
        command = [*self.command, "logs", "--tail", "15"]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, cwd=ROOT).stdout

    def python(self, program: str) -> "Program":
        """Start a program in a container of its own, beside the services."""
        entry = ["run", "--rm", "-T", "--no-deps", "--entrypoint", "python", "app", "-c", PRELUDE + program]
        return Program(
            subprocess.Popen(
                [*self.command, *entry], env=self.env, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
        )

    def state(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        container = self.run("ps", "-aq", service).stdout.split()[0]
        found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        state: dict[str, Any] = json.loads(found.stdout)[0]["State"]
        return state

    def health(self, service: str) -> str:
        """``starting``, ``healthy`` or ``unhealthy``."""
        return str(self.state(service)["Health"]["Status"])

    def reasons(self, service: str) -> str:
        """What the last health checks of a service printed."""
        return "\n".join(check["Output"] for check in self.state(service)["Health"]["Log"])


class Program:
    """A running program that prints a JSON value per line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __iter__(self) -> Iterator[Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield json.loads(line)

    def next(self) -> Any:
        """Return the next value."""
        return next(iter(self))

    def end(self) -> Any:
        """Return the last value, once the program has ended well."""
        with self.process:
            values = list(self)
        assert self.process.returncode == 0
        return values[-1]


def until(probe: Callable[[], object], what: str, timeout: float = DEADLINE) -> Any:
    """Return what ``probe`` finds as soon as it finds something."""
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.2)
    return found
