"""The other side: a one-task app, as its author would write it."""

import os

from celery import Celery

url = os.environ["PLAIN_URL"]
app = Celery("plain", broker=url, backend=url)


@app.task
def add(x: float, y: float) -> float:
    """Return ``x + y``."""
    return x + y
