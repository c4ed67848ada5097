"""An app whose tasks fail in every way there is."""

import os
import signal
import time
from pathlib import Path

from celery import Celery
from celery.exceptions import Ignore, Reject

from labtasks.dead_letters import DeadLetters, install

URL = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("failing")
app.conf.broker_url = URL
app.conf.result_backend = os.environ.get("FAILING_BACKEND", URL)
app.conf.result_backend_transport_options = {"retry_policy": {"max_retries": 0, "timeout": 1.0}}
app.conf.broker_connection_retry_on_startup = True
store = DeadLetters(os.environ.get("FAILING_STORE", URL), os.environ.get("FAILING_NAME", "failing"))
install(app, store)


class Fault(Exception):
    """A failure of one's own."""


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    def __reduce__(self):
        raise RuntimeError("no pickle")


@app.task
def fail(*args, **kwargs):
    raise Fault(f"called with {len(args)} and {len(kwargs)}")


@app.task
def fail_strangely():
    raise Unprintable


@app.task(bind=True, max_retries=2)
def retry(self):
    raise self.retry(exc=Fault("again"), countdown=0)


@app.task(bind=True, max_retries=2)
def retry_once(self):
    if not self.request.retries:
        raise self.retry(exc=Fault("again"), countdown=0)


@app.task(soft_time_limit=1.0)
def exceed_softly():
    time.sleep(60)


@app.task(time_limit=0.4)
def exceed():
    time.sleep(60)


@app.task(time_limit=0.4, acks_late=True, acks_on_timeout=False)
def exceed_once(path):
    if first(path):
        time.sleep(60)
    Path(path).with_suffix(".done").touch()  # the state stays FAILURE for a while


@app.task
def die():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(acks_late=True, reject_on_worker_lost=True)
def die_once(path):
    if first(path):
        os.kill(os.getpid(), signal.SIGKILL)


@app.task
def reject(*, requeue=False):
    raise Reject("not mine", requeue=requeue)


@app.task(acks_late=True)
def reject_once(path):
    if first(path):
        raise Reject("not now", requeue=True)


@app.task
def ignore():
    raise Ignore


@app.task
def return_a_set():
    return {1, 2}


@app.task
def send_a_set():
    fail.delay({1, 2})


@app.task(bind=True)
def note(self, path, *args, **kwargs):
    """Write a line; fail as long as there is a file beside it."""
    with Path(path).open("a") as file:
        file.write(f"{args!r} {kwargs!r} {self.request.delivery_info['routing_key']}\n")
    if Path(path).with_suffix(".fail").exists():
        raise Fault("the file is there")


@app.task
def wait(gate):
    with store._asked() as client:
        client.lpush(f"{gate}:begun", "1")
    time.sleep(60)


def first(path):
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
