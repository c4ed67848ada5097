"""Notes in which lesson a learner is at work: each cell that is run there is a sign of it."""

import os
import re
import sys
import threading
import time
from pathlib import PurePath
from typing import Any

NAME = re.compile(r"(\d+)_(\d+)_\w+")
# Between two signs; each is a write to a disk that may be slow.
LEAST_SECONDS = 15.0

_last = -LEAST_SECONDS


def begin() -> None:
    """Note that the lesson of this kernel was begun, and from now on that its cells are run.

    Elsewhere than in a lesson's kernel, and where the notebook's name is not known, nothing
    happens. Called again, it goes on as before.
    """
    shell = _shell()
    if shell is None or _lesson(shell) is None:
        return
    if _after_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _after_cell)
    _after_cell()


def _after_cell(*_: object) -> None:
    """Write a sign, unless one was just written. A thread does it: no cell waits for a disk."""
    global _last
    shell = _shell()
    lesson = _lesson(shell) if shell else None
    now = time.monotonic()
    if lesson is None or now - _last < LEAST_SECONDS:
        return
    _last = now
    from celerylab import progress

    threading.Thread(target=progress.sign, args=[lesson], name="celerylab-progress", daemon=True).start()


def _lesson(shell: Any) -> str | None:
    """Return the lesson's id, "1-2", from the name under which the kernel was started."""
    # Jupyter's servers set the first; VS Code says it in the notebook's own names.
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__", "")
    match = NAME.match(PurePath(str(path)).name)
    return f"{match[1]}-{match[2]}" if match else None


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
