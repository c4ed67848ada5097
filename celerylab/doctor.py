"""Checks the installation by using it, and says how to mend what is wrong."""

import contextlib
import io
import multiprocessing
import os
import pkgutil
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from celerylab import installed, lab, texts
from celerylab.environment import OVERRIDING
from celerylab.errors import LabError
from celerylab.finding import Finding, Level, note, ok, wrong
from celerylab.progress import ProgressError, standings
from celerylab.settings import settings
from celerylab.stack.broker import Broker, answers
from celerylab.stack.worker import BUNDLED_APP, BUNDLED_TASK

if TYPE_CHECKING:
    from celery import Celery

LITTLE_SPACE = 200
TOO_LITTLE_SPACE = 20
FIRST_TASK_TIMEOUT = 30.0


def examine() -> Iterator[Finding]:
    """Run every check, an early one explaining a later one. A check that breaks is a finding too."""
    for check in CHECKS:
        try:
            yield check()
        except Exception as problem:  # noqa: BLE001 - the other checks still help
            name = check.__name__.replace("_", " ")
            said = texts.CHECK_FAILED.format(name=name, kind=type(problem).__name__, problem=problem)
            yield wrong(said, texts.CHECK_FAILED_MEND)


def summary(findings: list[Finding]) -> str:
    """Say in one line how the installation is."""
    count = sum(1 for each in findings if each.level is Level.WRONG)
    return texts.SOME_WRONG.format(count=count) if count else texts.ALL_WELL


def environment() -> Finding:
    """Look for variables that win over what an app says. Their values may hold passwords."""
    foreign = [name for name in OVERRIDING if os.environ.get(name)]
    if not foreign:
        return ok(texts.FOREIGN_NONE)
    mend = texts.FOREIGN_MEND.format(names=" ".join(foreign))
    if settings().broker_url:
        return wrong(texts.FOREIGN.format(names=", ".join(foreign)), mend)
    return note(texts.FOREIGN_SET_ASIDE.format(names=", ".join(foreign)), mend)


def home() -> Finding:
    """Check that progress can be kept, and read."""
    folder = settings().home
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        said = texts.HOME_WRONG.format(home=folder, problem=problem.strerror)
        return wrong(said, texts.HOME_MEND)
    try:
        standings()
    except ProgressError as problem:
        return wrong(str(problem), texts.PROGRESS_MEND)
    return ok(texts.HOME.format(home=folder))


def disk() -> Finding:
    """Check that there is room for the brokers' and the lessons' files."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free // 2**20
    said = texts.DISK.format(free=free, folder=folder)
    if free < TOO_LITTLE_SPACE:
        return wrong(said, texts.DISK_MEND)
    return note(said, texts.DISK_MEND) if free < LITTLE_SPACE else ok(said)


def loopback() -> Finding:
    """Check that servers can listen on this machine, and be reached."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as problem:
        return wrong(texts.NO_LOOPBACK.format(problem=problem.strerror), texts.NO_LOOPBACK_MEND)
    return ok(texts.LOOPBACK)


def semaphores() -> Finding:
    """Check what a prefork pool is built on."""
    try:
        multiprocessing.get_context("fork").Lock()
    except (OSError, ImportError) as problem:
        return wrong(texts.NO_SEMAPHORES.format(problem=problem), texts.NO_SEMAPHORES_MEND)
    return ok(texts.SEMAPHORES)


def broker() -> Finding:
    """Start the embedded broker and ask it; or ask the one that the settings name."""
    attached = settings().broker_url
    if attached:
        if answers(attached):
            return ok(texts.BROKER_ANSWERS)
        return wrong(texts.BROKER_SILENT, texts.BROKER_SILENT_MEND)
    try:
        with Broker("doctor") as own:
            if answers(own.url):
                return ok(texts.BROKER_STARTS)
    except LabError as problem:
        return wrong(texts.BROKER_FAILS.format(problem=problem), texts.BROKER_FAILS_MEND)
    return wrong(texts.BROKER_FAILS.format(problem=texts.BROKER_MUTE), texts.BROKER_FAILS_MEND)


def first_task() -> Finding:
    """Run one task in the bundled worker."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            lab.start()
        # Found by name once the lab runs: the app reads its broker's address when it is imported.
        app: Celery = pkgutil.resolve_name(BUNDLED_APP)
        found = app.send_task(BUNDLED_TASK, (2, 3)).get(timeout=FIRST_TASK_TIMEOUT)
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is the finding
        said = f"{type(problem).__name__}: {problem}"
        return wrong(texts.FIRST_TASK_FAILS.format(problem=said), texts.FIRST_TASK_MEND)
    finally:
        lab.stop()
    return ok(texts.FIRST_TASK.format(found=found))


CHECKS: tuple[Callable[[], Finding], ...] = (
    installed.python,
    installed.packages,
    installed.kernel,
    installed.widgets,
    environment,
    home,
    disk,
    loopback,
    semaphores,
    broker,
    first_task,
)
