"""An app whose failures are kept, or not, for the row ``dead_letter_hooks``."""

import os

from celery import Celery

from labtasks.dead_letters import DeadLetters, install

url = os.environ["CELERYLAB_BROKER_URL"]
queue = os.environ["BENCH_QUEUE"]
app = Celery("kept", broker=url, backend=url)
app.conf.task_default_queue = queue
if os.environ["BENCH_HOOKS"] == "1":
    install(app, DeadLetters(url, "bench"))


@app.task
def add(x: int, y: int) -> int:
    """Return ``x + y``."""
    return x + y
