"""Submits per second of the API, against ``delay()`` called in the process itself."""

from time import perf_counter

from bench.api_load import API, CONNECTIONS, REQUESTS, WARM, compare, numbers, per_second, served
from bench.row import Row
from celerylab import Lab


def measure() -> Row:
    """Send to the same broker, over HTTP and directly; no worker takes what is sent."""
    lab = Lab()
    lab.start()
    try:
        broker = lab.broker()
        with served(lab, API, CELERYLAB_BROKER_URL=broker.url) as server:
            return compare(
                f"submits to the API over {CONNECTIONS} connections, against delay()",
                lambda: per_second(server),
                lambda: directly(broker.url),
                "per s",
                limit=0.1,
                at_least=True,
            )
    finally:
        lab.stop()


def directly(url: str) -> float:
    """Return how many tasks a second one thread sends."""
    from celery import Celery

    app = Celery("direct", broker=url, backend=url)
    app.conf.task_default_queue = "labtasks"
    add = app.signature("labtasks.basics.add")
    for _ in range(WARM):
        add.clone((1, 1)).delay()
    began = perf_counter()
    for _ in range(REQUESTS):
        n = next(numbers)
        add.clone((n, n)).delay()
    spent = perf_counter() - began
    app.close()
    return REQUESTS / spent
