"""What a task that succeeds costs more in an app whose failures are kept as dead letters."""

import statistics
from pathlib import Path

import psutil

from bench.idempotency import until
from bench.row import Row
from celerylab import Lab
from celerylab.stack.worker import Worker

TASKS = 100
PAIRS = 300  # short and many: what else the machine does then weighs on both sides alike
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
    ratios = sorted(ours / theirs for ours, theirs in zip(kept, bare, strict=True))
    middle = ratios[PAIRS // 4 : -PAIRS // 4]
    theirs = statistics.median(bare)
    return Row(
        f"processor time of a task that succeeds, hooks for dead letters connected, against the same worker "
        f"without them, middle half of {PAIRS} pairs of {TASKS}",
        statistics.mean(middle) * theirs,
        theirs,
        "ms",
        limit=1.02,
        notes=(
            f"ratio of each pair: mean of the middle half {statistics.mean(middle):.3f}, "
            f"which lies between {middle[0]:.3f} and {middle[-1]:.3f}",
        ),
    )


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
