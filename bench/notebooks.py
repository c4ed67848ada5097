"""All notebooks, strictly compared and in parallel, against ``jupyter execute`` in a row."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.row import ROOT, Row

PROCESSES = (os.cpu_count() or 1) + 1
# as in the Makefile, without the tests and what only they need
PYTEST = f"pytest -p tests.startup -p no:hypothesispytest -p no:anyio -q -n {PROCESSES} --nbval notebooks"
BIN = Path(sys.executable).parent


def measure() -> Row:
    """Run the suite as ``make test`` does, then each notebook alone; give the bound beside it."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CELERYLAB_HOME": home}
        strict, _ = _timed([sys.executable, "-m", *PYTEST.split()], environment)
        alone: dict[str, float] = {}
        cpu = 0.0
        for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
            if ".ipynb_checkpoints" in path.parts:
                continue
            command = [str(BIN / "jupyter-execute"), "--allow-errors", "--timeout=120", str(path)]
            alone[path.stem], spent = _timed(command, environment)
            cpu += spent
    cores = os.cpu_count() or 1
    longest = max(alone, key=lambda name: alone[name])
    notes = (
        f"bound: the longest notebook, {longest}, {alone[longest]:.1f} s; "
        f"all CPU time over {cores} cores, {cpu / cores:.1f} s",
        ", ".join(f"{name} {seconds:.1f} s" for name, seconds in alone.items()),
    )
    return Row("all notebooks, strict and in parallel", strict, sum(alone.values()), "s", 0.5, notes=notes)


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a command took, and the CPU seconds of the machine meanwhile."""
    busy, begin = _busy(), time.perf_counter()
    subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return time.perf_counter() - begin, _busy() - busy


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system)
