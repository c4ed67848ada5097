"""The learner's modules: whether they are there, and how they failed."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from celerylab.errors import NoSuchModule, ProcessFailed
from celerylab.stack import texts
from celerylab.stack.process import PLAIN, python


def check_module(target: str) -> None:
    """Raise ``NoSuchModule`` if ``module`` or ``module:attribute`` names no module."""
    name = target.partition(":")[0]
    importlib.invalidate_caches()
    folder = str(Path.cwd())
    try:
        if "." in name:
            found = importlib.util.find_spec(name)
        else:
            found = importlib.machinery.PathFinder.find_spec(name, [folder, *sys.path])
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise NoSuchModule(
            texts.NO_SUCH_MODULE.format(module=name, folder=Path.cwd().name, file=f"{name}.py")
        )


def import_failure(target: str) -> str | None:
    """Import a module in a process of its own; return its traceback, or ``None`` if it has none.

    The traceback begins at the first frame in the current folder: the learner's own.
    """
    name = target.partition(":")[0]
    # -c puts the current folder first on the path, as the celery command does
    tried = subprocess.run(
        python("-c", f"import {name}"),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **PLAIN},
    )
    if tried.returncode == 0:
        return None
    folder = f"{Path.cwd()}/"
    lines = tried.stderr.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if line.lstrip().startswith(f'File "{folder}')), 0)
    return "\n".join(line.replace(folder, "") for line in lines[first:])


def explained(failure: ProcessFailed, target: str, log: str) -> ProcessFailed:
    """Say why ``celery -A target`` failed: the module's own traceback, if Celery could not load it."""
    if "Unable to load celery application" not in log:
        return failure
    name = target.partition(":")[0]
    traceback = import_failure(target)
    if traceback is None:
        return ProcessFailed(texts.NO_CELERY_APP.format(module=name))
    return ProcessFailed(f"{texts.BROKEN_MODULE.format(module=name)}\n{traceback}")
