"""An app whose failures are kept, or not, for the row ``dead_letter_hooks``."""

import os
from typing import Any

from celery import Celery
from celery.worker.control import control_command

from labtasks.dead_letters import DeadLetters, install

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("kept", broker=url, backend=url)
app.conf.task_default_queue = "bench-kept"
hooks = install(app, DeadLetters(url, "bench"))


@app.task
def add(x: int, y: int) -> int:
    """Return ``x + y``."""
    return x + y


@control_command(args=[("on", bool)])
def keep(_state: Any, on: bool) -> bool:
    """Connect the hooks of this worker, or disconnect them."""
    if on:
        hooks.connect()
    else:
        hooks.disconnect()
    return on
