"""The same task bare, and made idempotent, for the row ``idempotency``."""

import os

from celery import Celery

from labtasks.idempotency import idempotent_task

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("guarded", broker=url, backend=url)
app.conf.task_default_queue = "bench-guarded"


@app.task
def bare(x: int, y: int) -> int:
    """Return ``x + y``."""
    return x + y


@app.task
@idempotent_task
def guarded(x: int, y: int) -> int:
    """Return ``x + y``, once for all equal calls."""
    return x + y
