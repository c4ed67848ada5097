"""What a worker has done, as metrics that Prometheus can scrape.

``install(app)`` costs nothing until ``CELERYLAB_METRICS_PORT`` is set. Then the worker counts,
and its main process answers at ``http://127.0.0.1:<port>/metrics``:

====================================  =========  ======================================
``celery_tasks_total``                counter    runs, by ``task`` and ``state``
``celery_task_run_seconds``           histogram  how long they ran, by ``task``
``celery_task_wait_seconds``          histogram  from sending to start, by ``task``
``celery_tasks_running``              gauge      what runs now, by ``task``
``celery_queue_messages``             gauge      messages that wait, by ``queue``
``celery_queue_oldest_seconds``       gauge      how long the oldest has, by ``queue``
====================================  =========  ======================================

Every worker tells of its own runs, and all tell the same of the queues: add up the former, take
the greatest of the latter.
"""

import os
from typing import TYPE_CHECKING, Any

from celery import signals

if TYPE_CHECKING:
    from celery import Celery

PORT = "CELERYLAB_METRICS_PORT"


def install(app: "Celery", *, port: int | None = None, host: str | None = None) -> None:
    """Have the workers of an app serve metrics.

    Call it where the app is made. Messages say how long they waited if ``queue_health.stamp``
    was called, too.

    Parameters
    ----------
    app
        The app; what other apps of the process do is none of its business.
    port
        That of the settings if not given; without one, nothing is connected and nothing loaded.
    host
        Address of this machine on which to listen; that of the settings, loopback, if not given.
    """
    if port is None and not os.environ.get(PORT):
        return

    def start(sender: Any, **_: object) -> None:
        if sender.app is app:
            from labtasks.metrics.endpoint import start
            from labtasks.settings import settings

            start(sender, port or settings().metrics_port, host or settings().metrics_host)

    # a producer that has the same environment never sends this signal
    signals.worker_init.connect(start, weak=False, dispatch_uid=("metrics", id(app)))
