"""The app of the fault test: tasks that succeed, come back, or fail for good in several ways."""

import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task

from labtasks import accounts, dead_letters
from labtasks.idempotency import ClaimsAway, idempotent_task

URL = os.environ["SURVIVING_URL"]
RUNS = Path(os.environ["SURVIVING_RUNS"])
HARD = 1.0  # s
AT_WORK = 0.15  # s, so that faults find tasks that run, and retries a broker that is away

app = Celery("surviving", broker=URL, backend=URL)
app.conf.update(
    task_default_queue="surviving",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    result_backend_always_retry=True,
    broker_connection_retry_on_startup=True,
    # Celery gives up after half a second, and a retry that can't be sent is refused for good
    task_publish_retry_policy={"max_retries": 100, "interval_max": 0.2},
    broker_transport_options={
        "visibility_timeout": 3,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        # a worker that is killed while it gives back messages lets no other do so for 300 s
        "unacked_mutex_expire": 1,
    },
)
dead_letters.install(app, lambda: dead_letters.DeadLetters(URL, "surviving"), alert=None)


class Recorded(Task):  # type: ignore[misc]  # Celery has no types
    """A task whose runs are written down, each before it begins."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:  # Celery's signature
        """Add a line to a file that no fault of the test touches."""
        redelivered = (self.request.delivery_info or {}).get("redelivered")
        line = f"{task_id} {os.getpid()} {self.request.retries} {bool(redelivered)}\n"
        with RUNS.open("ab", buffering=0) as file:
            file.write(line.encode())


@app.task(base=Recorded)
def charge(order: str) -> int:
    """Take 1 from the account, once an order."""
    time.sleep(AT_WORK)
    return accounts.take(order, "survivor", 1)["receipt"]


@app.task(base=Recorded, bind=True, max_retries=5)
def charge_at_second_try(self: Any, order: str) -> int:
    """Fail in the first attempt, as if the database were busy."""
    if self.request.retries == 0:
        time.sleep(AT_WORK)
        raise self.retry(countdown=0.1)
    return accounts.take(order, "survivor", 1)["receipt"]


@app.task(base=Recorded, bind=True, autoretry_for=(ClaimsAway,), max_retries=50, default_retry_delay=0.2)
@idempotent_task(lease=2.0, wait=0.5)
def charge_with_key(self: Any, order: str) -> int:  # bound, as most tasks are
    """Take 1; an equal call returns the same without running."""
    return accounts.take(order, "survivor", 1)["receipt"]


@app.task(base=Recorded)
def refuse(order: str) -> None:
    """Fail for good."""
    raise ValueError(f"order {order} is wrong")


@app.task(base=Recorded, time_limit=HARD)
def hang(order: str) -> None:  # as the others
    """Run into the hard time limit."""
    time.sleep(60)


@app.task(base=Recorded, autoretry_for=(ValueError,), max_retries=2, default_retry_delay=0.1)
def refuse_after_retries(order: str) -> None:
    """Fail for good at the third attempt."""
    raise ValueError(f"order {order} is wrong")
