"""An app that serves metrics, with tasks that end in every way."""

import os
import signal
import time

from celery import Celery
from celery.exceptions import Ignore, Reject

from labtasks import metrics, queue_health, watch

URL = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("measured", broker=URL, backend=URL)
app.conf.result_backend_transport_options = {"retry_policy": {"max_retries": 0, "timeout": 1.0}}
app.conf.broker_connection_retry_on_startup = True
app.conf.task_queues = {name: {"exchange": name, "routing_key": name} for name in ("measured", "unread")}
queue_health.stamp(app)
metrics.install(app)
watch.install(app, [watch.NoWorker(looks=1), watch.Failures(share=0.5, at_least=3)], every=0.2)


@app.task
def nap(seconds):
    time.sleep(seconds)


@app.task
def wait(key):
    while not app.backend.client.exists(key):
        time.sleep(0.01)


@app.task
def fail():
    raise ValueError("no")


@app.task(bind=True, max_retries=2)
def retry(self):
    raise self.retry(countdown=0.05)


@app.task
def reject():
    raise Reject("no", requeue=False)


@app.task
def ignore():
    raise Ignore


@app.task
def die():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(time_limit=0.3)
def exceed():
    time.sleep(60)
