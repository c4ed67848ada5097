"""Dead letters written and replayed per second, against the least that Redis and Celery do for it."""

import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from bench.row import Row
from celerylab import Lab
from labtasks.dead_letters import DeadLetter, DeadLetters, replay_all
from labtasks.dead_letters.letter import pack

LETTERS = 1000
PAIRS = 5
QUEUE = "bench-replayed"
TRACEBACK = "\n".join(f'  File "shop/orders.py", line {n}, in charge' for n in range(20))


def measure() -> Row:
    """Write and replay in turn with what is compared to it, all from one process."""
    rates: dict[str, list[float]] = {"add": [], "hset": [], "replay": [], "send": []}
    lab = Lab()
    lab.start()
    try:
        for _ in range(PAIRS):
            for name, rate in one_round(lab).items():
                rates[name].append(rate)
    finally:
        lab.stop()
    rate = {name: statistics.median(values) for name, values in rates.items()}
    return Row(
        f"{LETTERS} dead letters written, with index, alert and limits, against as many plain HSET",
        rate["add"],
        rate["hset"],
        "letters/s",
        limit=0.3,
        at_least=True,
        notes=(
            f"replayed: {rate['replay']:.0f} letters/s against {rate['send']:.0f} plain send_task/s, "
            f"ratio {rate['replay'] / rate['send']:.2f}; each is claimed, sent and settled",
            *(f"{name}: {min(values):.0f} to {max(values):.0f}/s" for name, values in rates.items()),
        ),
    )


def one_round(lab: Lab) -> dict[str, float]:
    """Return how many a second, of each."""
    client, app = lab.redis, lab.client
    store = DeadLetters(lab.url, uuid.uuid4().hex)
    letters = [letter(n) for n in range(LETTERS)]
    bodies = [(each.id, each.dump()) for each in letters]
    found = {
        "add": per_second(lambda: [store.add(each, alert=True) for each in letters]),
        "hset": per_second(lambda: [client.hset("bench", task_id, body) for task_id, body in bodies]),
        "replay": per_second(lambda: list(replay_all(store, app))),
        "send": per_second(
            lambda: [app.send_task(each.task, *each.read_arguments(), queue=QUEUE) for each in letters]
        ),
    }
    assert client.llen(QUEUE) == 2 * LETTERS
    client.delete("bench", QUEUE)
    store.drop_all()
    return found


def letter(n: int) -> DeadLetter:
    """Make a letter as a failing task would."""
    arguments = pack([n, datetime(2026, 2, 28, tzinfo=UTC), {"name": "Aiko", "items": [1, 2, 3]}], {})
    return DeadLetter(
        id=str(uuid.uuid4()),
        task="shop.orders.charge",
        kind="exception",
        exception="shop.orders.Refused",
        message="the bank did not answer",
        traceback=TRACEBACK,
        routing_key=QUEUE,
        failed_at=time.time(),
        **arguments,
    )


def per_second(do: Callable[[], object]) -> float:
    """Return how many a second."""
    began = time.perf_counter()
    do()
    return LETTERS / (time.perf_counter() - began)
