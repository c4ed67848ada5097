"""How long the picture of a canvas of a thousand tasks takes."""

import time
from collections.abc import Callable

from celery import Celery, chain, chord, group

from bench.row import Row
from celerylab import Lab

NODES = 1000
ALLOWED = 2.0  # s

app = Celery("bench-draw", set_as_current=False)


@app.task(name="labtasks.basics.add")
def add(x: float, y: float) -> float:
    """Stand for the bundled worker's task."""
    raise NotImplementedError


@app.task(name="labtasks.basics.sum_results")
def sum_results(values: list[float]) -> float:
    """Stand for the bundled worker's task."""
    raise NotImplementedError


def measure() -> Row:
    """Draw canvases of a thousand tasks each, one of them run; the slowest counts."""
    lab = Lab()
    lab.start()
    app.conf.update(broker_url=lab.url, result_backend=lab.url, task_default_queue="labtasks")
    try:
        run = chord([add.s(n, n) for n in range(NODES - 1)], sum_results.s()).apply_async()
        run.get(timeout=120)
        canvases = {
            "the first, matplotlib's import included": add.s(1, 1) | add.s(2),
            "a chord that ran": run,
            "a chain": chain(add.s(1, 1), *(add.s(n) for n in range(NODES - 1))),
            "ten groups of ten chains of ten": group(
                chain(add.s(n, n), *(add.s(1) for _ in range(9))) for n in range(NODES // 10)
            ),
            "chords in chords": _nested(3),
        }
        took = {what: _seconds(lambda drawn=canvas: lab.draw(drawn)) for what, canvas in canvases.items()}
    finally:
        lab.stop()
    notes = tuple(f"{what}: {seconds:.2f} s" for what, seconds in took.items())
    slowest = max(took.values())
    return Row(f"lab.draw of a canvas of {NODES} tasks", slowest, ALLOWED, "s", limit=1.0, notes=notes)


def _nested(depth: int) -> object:
    inner = [_nested(depth - 1) for _ in range(10)] if depth > 1 else [add.s(n, n) for n in range(10)]
    return chord(inner, sum_results.s())


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
