"""What proves an exercise: its starter, its solution and each wrong answer, run for real."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RUNNER = Path(__file__).with_name("run_cells.py")
# What an exercise may take for granted. All else its own cells import.
PRELUDE = "from celerylab import lab\nfrom exercises import exercise\nlab.start()"
# Above the longest check; a hung one must fail, and say where.
TIMEOUT = 120


@dataclass(frozen=True)
class Ran:
    """The outcome that the check cell returned, with what it wrote to stderr, or why there is none."""

    kind: str = ""
    key: str = ""
    message: str = ""
    warned: str = ""
    failed: str = ""


def run_programs(programs: Sequence[Sequence[str]], folder: Path) -> list[Ran]:
    """Run programs of cells in a folder, one after the other in one process of their own."""
    result = folder / "result.json"
    environment = {
        **os.environ,
        "CELERYLAB_HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONFAULTHANDLER": "1",
    }
    ran = subprocess.run(
        [sys.executable, RUNNER, result],
        input=json.dumps([list(cells) for cells in programs]),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT * len(programs),
        check=False,
    )
    assert ran.returncode == 0, f"the process failed:\n{ran.stdout}\n{ran.stderr}"
    return [Ran(**found) for found in json.loads(result.read_text())]


def run_cells(cells: Sequence[str], folder: Path) -> Ran:
    """Run one program; return its outcome."""
    (ran,) = run_programs([cells], folder)
    assert not ran.failed, f"the cells failed:\n{ran.failed}"
    return ran
