"""Idempotent tasks, each of which counts its runs, for the tests of idempotency."""

import os
import time

from celery import Celery
from redis import Redis

from labtasks.idempotency import idempotent_task

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("guarded", broker=url, backend=url, set_as_current=False)
app.conf.task_default_queue = "test-guarded"
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", 3600)),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    # a worker that is killed while it gives back messages lets no other do so for 300 s
    "unacked_mutex_expire": 1,
}
redis = Redis.from_url(url)
GATE_TIMEOUT = 60.0  # s


def count(key):
    return redis.incr(f"runs {key}")


def wait_at(gate):
    deadline = time.monotonic() + GATE_TIMEOUT
    while not redis.exists(gate):
        assert time.monotonic() < deadline, f"{gate} was never opened"
        time.sleep(0.01)


@app.task(bind=True)
@idempotent_task(wait=0.05)
def slow(self, key, value=None):
    """Count, wait, and return who ran it."""
    count(key)
    wait_at(f"gate {key}")
    return [self.request.id, self.request.retries, value]


@app.task(bind=True, acks_late=True)
@idempotent_task(lease=float(os.environ.get("LEASE", "1")), wait=0.2)
def short_lease(self, key):
    """Count, wait, and return in which process."""
    count(key)
    wait_at(f"gate {key}")
    return os.getpid()


@app.task
@idempotent_task()
def nothing(key):
    """Count, and return nothing."""
    count(key)


@app.task(autoretry_for=(KeyError,), max_retries=1, default_retry_delay=0)
@idempotent_task
def fails_first(key):
    """Fail the first time; Celery retries it."""
    if count(key) == 1:
        raise KeyError(key)
    return "done"


@app.task
@idempotent_task
def divide(key, by):
    """Count, and fail if divided by nothing."""
    count(key)
    return 1 / by


@app.task
@idempotent_task(held="raise")
def once(key):
    """Count, wait, and return the number of the run."""
    run = count(key)
    wait_at(f"gate {key}")
    return run


@app.task
@idempotent_task(key=lambda order, **_: order)
def by_order(order, amount, note=""):
    """Count; amount and note don't make it another call."""
    return count(order)


@app.task
@idempotent_task
def takes_anything(x, y=2, *more, z=3, **named):
    """Count all runs."""
    return count("anything")


@app.task
@idempotent_task
def returns_a_set(key):
    """Count, and return what JSON can't take."""
    count(key)
    return {1, 2}


@app.task
@idempotent_task
def calls_itself(key):
    """Count, and meet its own claim."""
    count(key)
    return calls_itself(key)
