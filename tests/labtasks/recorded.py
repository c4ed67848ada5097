"""An app whose tasks are recorded, and end in every way."""

import os
import signal
import threading
import time
from pathlib import Path

from celery import Celery
from celery.exceptions import Ignore, Reject
from redis import Redis

from labtasks import records
from labtasks.records import ContextTask

URL = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("recorded", broker=URL, backend=URL, task_cls=ContextTask)
app.conf.task_default_queue = "recorded"
app.conf.broker_connection_retry_on_startup = True
app.conf.broker_transport_options = {
    "visibility_timeout": 2,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    # a worker that is killed while it gives back messages lets no other do so for 300 s
    "unacked_mutex_expire": 1,
}
recorder = records.install(app)
records.setup_celery_logging(recorder)
redis = Redis.from_url(URL)


def hold(gate):
    """Wait until a test opens a gate."""
    redis.lpush(f"{gate}:begun", os.getpid())
    redis.blpop(f"{gate}:open", 60)


@app.task(bind=True)
def add(self, x, y):
    records.log_task_info("adding", x=x, y=y)
    return x + y


@app.task(bind=True)
def note_progress(self, gate):
    self.update_state(state="PROGRESS", meta={"current": 1, "total": 2})
    hold(gate)
    return {"done": True}


@app.task(bind=True)
def fail(self, what):
    try:
        raise ValueError(what)
    except ValueError:
        self.log_error("it went wrong", what=what)
        raise


@app.task(bind=True, max_retries=2)
def retry(self, until=2):
    if self.request.retries < until:
        raise self.retry(countdown=0, exc=ConnectionError("not yet"))
    return self.request.retries


@app.task(time_limit=0.5)
def exceed():
    time.sleep(60)


@app.task
def die():
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(acks_late=True, reject_on_worker_lost=True)
def die_once(path):
    try:
        Path(path).touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        return "lives"


@app.task
def reject():
    raise Reject("not mine", requeue=False)


@app.task
def ignore():
    raise Ignore


@app.task
def wait(gate):
    hold(gate)
    return "waited"


@app.task(resend_if_lost=True)
def wait_safely(gate):
    hold(gate)
    return "waited"


@app.task(acks_late=True)
def wait_late(gate):
    hold(gate)
    return "waited"


@app.task
def strange():
    return {"\0": "\ud800", "day": {1, 2}}


@app.task
def count_threads():
    found = [thread for thread in threading.enumerate() if thread.name == "records"]
    records.log_task_info("writers", threads=len(found))


@app.task
def chatter(n):
    for each in range(n):
        records.log_task_info("line", n=each)


@app.task
def connections(gate):
    """Return this process, and the server's process that serves it."""
    hold(gate)
    from sqlalchemy import text

    from labtasks.database import engine

    with engine().connect() as connection:
        return os.getpid(), connection.execute(text("SELECT pg_backend_pid()")).scalar()
