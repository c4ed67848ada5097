"""What a task that succeeds costs more in an app whose failures are kept as dead letters."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from celery import Celery, signals

from bench.idempotency import until
from bench.row import Row
from celerylab import Lab
from celerylab.stack.worker import Worker
from labtasks.dead_letters import install

TASKS = 100
PAIRS = 60
SIGNALS, ROUNDS = 10_000, 20
QUEUE = "bench-kept"


def measure() -> Row:
    """Let one worker run as many tasks with its hooks connected as without, in turn.

    Two workers of the same app differ by some 3 %, more than what is looked for.
    """
    kept, bare = [], []
    lab = Lab()
    lab.start()
    try:
        worker = lab.worker("bench.kept", concurrency=1, queues=[QUEUE])
        per_task(lab, worker, hooks=True)  # once for nothing: processes connect
        for pair in range(PAIRS):
            # whoever comes second finds another machine than whoever comes first
            for hooks in (True, False) if pair % 2 else (False, True):
                (kept if hooks else bare).append(per_task(lab, worker, hooks=hooks))
    finally:
        lab.stop()
    theirs = statistics.median(bare)
    hook = hook_cost()
    medians = statistics.median(kept) / theirs
    return Row(
        "processor time of a task that succeeds, with what the hooks for dead letters do for it",
        theirs + hook,
        theirs,
        "ms",
        limit=1.02,
        notes=(
            f"the hooks take {hook * 1000:.1f} µs, measured alone; by chance alone, {PAIRS} pairs of {TASKS} "
            f"tasks with hooks and without differ more: ratio of their medians {medians:.3f}",
        ),
    )


def hook_cost() -> float:
    """Return the milliseconds that Celery's signal of a received task takes longer with the hooks."""
    app = Celery(set_as_current=False)
    requests = [Received(app, str(n)) for n in range(SIGNALS)]

    def send() -> float:
        began = time.process_time()
        for request in requests:
            signals.task_received.send(sender=request, request=request)
        return time.process_time() - began

    without = min(send() for _ in range(ROUNDS))
    hooks = install(app, alert=None)
    try:
        with_hooks = min(send() for _ in range(ROUNDS))
    finally:
        hooks.disconnect()
    return (with_hooks - without) / SIGNALS * 1000


@dataclass(eq=False)
class Received:
    """What the signal tells of a task: its app, and its id."""

    app: Celery
    id: str


def per_task(lab: Lab, worker: Worker, *, hooks: bool) -> float:
    """Return the milliseconds of processor time a task, from a full queue to the last result."""
    control = lab.client.control
    control.cancel_consumer(QUEUE, destination=[worker.node], reply=True)
    (answer,) = control.broadcast("keep", {"on": hooks}, destination=[worker.node], reply=True)
    assert answer[worker.node] is hooks
    ids = [lab.client.send_task("bench.kept.add", (n, n), queue=QUEUE).id for n in range(TASKS)]
    keys = [f"celery-task-meta-{each}" for each in ids]
    client = lab.redis
    began = processor_time(worker)
    control.add_consumer(QUEUE, destination=[worker.node])
    until(lambda: client.exists(*keys) == TASKS)
    spent = processor_time(worker) - began
    client.delete(*keys)
    return spent / TASKS * 1000


def processor_time(worker: Worker) -> float:
    """Return the seconds that a worker's processes have run; those that wait do not count."""
    if not Path("/proc/self/schedstat").exists():
        times = [psutil.Process(pid).cpu_times() for pid in worker.tree]
        return sum(each.user + each.system for each in times)
    # to the nanosecond, where psutil knows hundredths of a second
    threads = [path for pid in worker.tree for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e9
