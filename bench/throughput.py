"""Tasks per second through the bundled worker, and through a plain one."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.row import ROOT, Row
from celerylab import Lab
from celerylab.stack import control
from celerylab.stack.broker import Broker
from celerylab.stack.process import ManagedProcess, python

TASKS = 5000
PAIRS = 5


def measure() -> Row:
    """Send the same tasks to both workers in turn, each alone on the machine."""
    ours, theirs = [], []
    for _ in range(PAIRS):
        with bundled() as send:
            ours.append(per_second(send))
        with plain() as send:
            theirs.append(per_second(send))
    spread = f"ours {min(ours):.0f} to {max(ours):.0f}, theirs {min(theirs):.0f} to {max(theirs):.0f} tasks/s"
    return Row(
        f"throughput of {TASKS} add tasks, medians of {PAIRS} pairs",
        statistics.median(ours),
        statistics.median(theirs),
        "tasks/s",
        limit=0.9,
        at_least=True,
        notes=(spread, "ours sends task events and logs each task, the plain worker does neither"),
    )


@contextmanager
def bundled() -> Iterator[Callable[[int], Any]]:
    """Give a function that sends one task to the bundled worker."""
    lab = Lab()
    lab.start()
    client = lab.client
    try:
        yield lambda n: client.send_task("labtasks.basics.add", (n, n), queue="labtasks")
    finally:
        lab.stop()


@contextmanager
def plain() -> Iterator[Callable[[int], Any]]:
    """Give a function that sends one task to a worker as anybody would start it."""
    with Broker("plain") as broker:
        command = python("-m", "celery", "-A", "bench.plain", "worker", "-c", "2", "-n", "plain@bench")
        worker = ManagedProcess("plain", command, env={"PLAIN_URL": broker.url}, cwd=ROOT)
        worker.spawn()
        try:
            worker.wait_ready(lambda: control.ping(broker.url, "plain@bench"), 60)
            client = control.client(broker.url)
            yield lambda n: client.send_task("bench.plain.add", (n, n))
        finally:
            worker.kill()


def per_second(send: Callable[[int], Any]) -> float:
    """Return the rate from the first task sent to the last result read."""
    for result in [send(n) for n in range(200)]:
        result.get(timeout=60)
    begin = time.perf_counter()
    results = [send(n) for n in range(TASKS)]
    for result in results:
        result.get(timeout=120)
    return TASKS / (time.perf_counter() - begin)
