"""The HTTP endpoint of a worker's main process."""

import os
import threading
from collections import Counter as Counts
from collections.abc import Iterator
from typing import Any

from celery import signals
from celery.concurrency import get_implementation
from celery.utils.log import get_logger
from celery.worker import state
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from labtasks import queue_health

logger = get_logger(__name__)

PREFORK = "celery.concurrency.prefork"


def start(worker: Any, port: int | None, host: str) -> None:
    """Count from now on, and serve the counts once the worker is ready.

    Parameters
    ----------
    worker
        Celery's, before it has made its pool.
    port, host
        Where to listen. A port that is taken is logged, and the worker goes on without.
    """
    if port is None:
        return
    registry = CollectorRegistry()
    folder = None
    if get_implementation(worker.pool_cls).__module__ == PREFORK:
        from labtasks.metrics.folder import Folder

        folder = Folder()
    # only now: the kind of its values is settled when a metric is made
    from labtasks.metrics.instruments import Instruments

    Instruments(worker.app, registry if folder is None else None).connect()
    registry.register(_Now(worker, folder))
    _Endpoint(worker, registry, port, host).connect()


class _Endpoint:
    """Listens from when the pool is made, so that no process of the pool inherits the socket."""

    def __init__(self, worker: Any, registry: CollectorRegistry, port: int, host: str) -> None:
        self._worker, self._registry, self._port, self._host = worker, registry, port, host
        self._server: Any = None

    def connect(self) -> None:
        signals.worker_ready.connect(self._listen, weak=False)
        # a process that replaces one of the pool's is forked later
        signals.worker_process_init.connect(self._forget, weak=False)
        signals.worker_shutdown.connect(self._close, weak=False)

    def _listen(self, sender: Any, **_: object) -> None:
        if sender.app is not self._worker.app:
            return
        try:
            self._server, _thread = start_http_server(self._port, self._host, self._registry)
        except OSError as taken:
            logger.error("no metrics: nothing can listen on %s:%s: %s", self._host, self._port, taken)
        else:
            logger.info("metrics: http://%s:%s/metrics", self._host, self._port)

    def _forget(self, **_: object) -> None:
        if self._server is not None:
            self._server.socket.close()

    def _close(self, **_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Now(Collector):
    """What is read at the moment of a scrape: files, what runs, and what waits."""

    def __init__(self, worker: Any, folder: Any) -> None:
        self._worker, self._folder = worker, folder
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            # a process that is forked while this one reads would find every lock of it taken for ever
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._lock.release,
            )

    def describe(self) -> list[Metric]:
        return []  # so that nothing is asked when this is registered

    def collect(self) -> Iterator[Metric]:
        found = self._queues()
        with self._lock:
            found.append(running())
            if self._folder is not None:
                found += self._folder.collect()
        yield from found

    def _queues(self) -> list[Metric]:
        try:
            found = queue_health.look(self._worker.app)
        except queue_health.BrokerAway as away:
            logger.debug("%s", away)  # no sample says so, and an alert can ask for that
            return []
        waiting = GaugeMetricFamily("celery_queue_messages", "Messages that wait.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "celery_queue_oldest_seconds", "How long the oldest has waited.", labels=["queue"]
        )
        for queue in found:
            waiting.add_metric([queue.queue], queue.waiting)
            if queue.oldest is not None:
                oldest.add_metric([queue.queue], queue.oldest)
        return [waiting, oldest]


def running() -> Metric:
    """Return how many tasks run now, by name.

    The main process knows what its pool has begun, and learns which processes died.
    """
    # the set itself can't be read while other threads change it, its references can
    requests = [reference() for reference in tuple(state.active_requests.data)]
    found = Counts(request.name for request in requests if request is not None)
    gauge = GaugeMetricFamily("celery_tasks_running", "Tasks that run now.", labels=["task"])
    for task, n in found.items():
        gauge.add_metric([task], n)
    return gauge
