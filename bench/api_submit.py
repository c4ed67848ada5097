"""Submits per second of the API, against the same API with nothing behind it."""

from bench.api_load import API, CONNECTIONS, MEMORY, compare, per_second, served
from bench.row import Row
from celerylab import Lab


def measure() -> Row:
    """Let messages lie in a broker without a worker: what is measured is the taking."""
    lab = Lab()
    lab.start()
    try:
        broker = lab.broker()
        with (
            served(lab, API, CELERYLAB_BROKER_URL=broker.url) as ours,
            served(lab, MEMORY, CELERYLAB_BROKER_URL=broker.url) as theirs,
        ):
            return compare(
                f"submits to the API over {CONNECTIONS} connections, against the same app without Celery",
                lambda: per_second(ours),
                lambda: per_second(theirs),
                "per s",
                limit=0.1,
                at_least=True,
            )
    finally:
        lab.stop()
