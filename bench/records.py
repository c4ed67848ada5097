"""What a task costs more whose state changes and log lines go to a database."""

import statistics
import tempfile
import time
from collections.abc import Callable

from bench.idempotency import until
from bench.row import Row
from celerylab import Lab
from celerylab.stack.postgres import Postgres
from celerylab.stack.worker import Worker

PAIRS = 9
TASKS = {"thumbnail": 400, "add": 1000}
QUEUES = {"bare": "bench-bare", "recorded": "bench-recorded"}


def measure() -> Row:
    """Let two workers of the same tasks run in turn, one of which records them."""
    lab = Lab()
    lab.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            bare, kept = pairs(lab, f"sqlite:///{folder}/records.sqlite3", "thumbnail", PAIRS)
            adding = ratio(*pairs(lab, f"sqlite:///{folder}/add.sqlite3", "add", 3))
        with Postgres("bench-records") as server:
            there = ratio(*pairs(lab, server.url, "thumbnail", 3))
    finally:
        lab.stop()
    ratios = [ours / theirs for ours, theirs in zip(kept, bare, strict=True)]
    return Row(
        f"a task that makes a thumbnail of a picture, with records and logs in SQLite, against the same task "
        f"bare, {TASKS['thumbnail']} each, medians of {PAIRS} pairs",
        statistics.median(kept),
        statistics.median(bare),
        "ms",
        limit=1.15,
        notes=(
            f"ratio of each pair: {min(ratios):.2f} to {max(ratios):.2f}",
            f"in PostgreSQL: {there:.2f}; of a task that adds two numbers: {adding:.2f}",
        ),
    )


def pairs(lab: Lab, database: str, name: str, n: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds a task, bare and recorded, of so many runs of each."""
    env = {"CELERYLAB_DATABASE_URL": database}
    workers = {
        kind: lab.worker(
            "bench.recorded",
            name=kind,
            queues=[queue],
            env=env | ({"BENCH_RECORDED": "1"} if kind == "recorded" else {}),
        )
        for kind, queue in QUEUES.items()
    }
    spent: dict[str, list[float]] = {kind: [] for kind in workers}
    for pair in range(n + 1):
        # whoever comes second finds another machine than whoever comes first
        for kind in list(workers)[:: 1 if pair % 2 else -1]:
            taken = per_task(lab, workers[kind], QUEUES[kind], name)
            if pair:  # the first is for nothing: processes connect, tables are made
                spent[kind].append(taken)
    for worker in workers.values():
        worker.kill()
    return spent["bare"], spent["recorded"]


def ratio(bare: list[float], kept: list[float]) -> float:
    """Return how their medians compare."""
    return statistics.median(kept) / statistics.median(bare)


def per_task(lab: Lab, worker: Worker, queue: str, name: str) -> float:
    """Return the milliseconds a task, from a full queue to the last result; sending is not counted."""
    n = TASKS[name]
    control = lab.client.control
    control.cancel_consumer(queue, destination=[worker.node], reply=True)
    ids = [lab.client.send_task(f"bench.recorded.{name}", (each,), queue=queue).id for each in range(n)]
    keys = [f"celery-task-meta-{each}" for each in ids]
    client = lab.redis
    began = time.perf_counter()
    control.add_consumer(queue, destination=[worker.node])
    until(all_there(client, keys))
    spent = time.perf_counter() - began
    client.delete(*keys)
    return spent / n * 1000


def all_there(client: object, keys: list[str]) -> Callable[[], bool]:
    """Return what says whether all results are there."""
    return lambda: client.exists(*keys) == len(keys)  # type: ignore[attr-defined]
