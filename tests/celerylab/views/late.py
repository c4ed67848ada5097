"""An app whose tasks store their results late: only when the next step has ended, and a while later."""

import os
import time

from celery import Celery
from celery.result import AsyncResult
from celery.signals import after_task_publish

from tests.processes import within

URL = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("late", broker=URL, backend=URL)


@app.task
def step(value):
    return value


@after_task_publish.connect
def hold(headers, **_):
    assert within(20, AsyncResult(headers["id"], app=app).ready)
    time.sleep(0.3)


@app.task
def fail(value):
    raise ValueError(value)
