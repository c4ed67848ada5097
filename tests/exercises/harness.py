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
    """The outcome that the check cell returned."""

    kind: str
    key: str
    message: str


def run_cells(cells: Sequence[str], folder: Path) -> Ran:
    """Run cells in a folder, in a process of their own, and return the last one's outcome."""
    result = folder / "result.json"
    environment = {
        **os.environ,
        "CELERYLAB_HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONFAULTHANDLER": "1",
    }
    ran = subprocess.run(
        [sys.executable, RUNNER, result],
        input=json.dumps(list(cells)),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ran.returncode == 0, f"the cells failed:\n{ran.stdout}\n{ran.stderr}"
    return Ran(**json.loads(result.read_text()))
