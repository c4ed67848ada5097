"""The learner's modules: whether they are there, and how they failed."""

import importlib.machinery
import importlib.util
import re
import sys
from pathlib import Path

from celerylab.errors import NoSuchModule
from celerylab.stack import texts


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
        raise NoSuchModule(texts.NO_SUCH_MODULE.format(module=name, folder=Path.cwd().name, file=f"{name}.py"))


def own_traceback(text: str, folder: Path) -> str:
    """Cut a traceback to what follows the first frame in ``folder``; whole if there is none."""
    lines = text.strip().splitlines()
    theirs = re.compile(rf'\s+File "{re.escape(str(folder))}')
    first = next((i for i, line in enumerate(lines) if theirs.match(line)), 0)
    return "\n".join(line.removeprefix(f"{folder}/") for line in lines[first:])
