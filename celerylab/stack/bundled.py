"""The bundled worker: starts what ``celery -A … worker`` starts, without the command line.

Celery's command loads the code of all its subcommands, a fifth of a second that every
lesson would wait for. Arguments: the app as ``module:app``, the node name, the concurrency,
and the queues, separated by commas, if not all that the app has.
"""

import gc
import importlib
import sys

from celery.worker.consumer import Consumer

import celerylab.stack.started  # noqa: F401  # what it does, it does when imported

FLUSH = 0.05  # s


class BatchingConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """Sends buffered task events together, at the latest after ``FLUSH`` seconds.

    Celery's own sends them at every turn of its loop. With short tasks that is a message to the
    broker for each task, and doubles what the main process has to do.

    Source: the setting ``worker_consumer`` in Celery's configuration guide.
    """

    _flush_is_due = False

    def on_send_event_buffered(self) -> None:
        """Take note that there is something to send."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self.timer.call_after(FLUSH, self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        self._flush_events()


def main(target: str, node: str, concurrency: int, queues: str = "") -> int:
    """Run the worker in this process until it is told to stop; return its exit status."""
    gc.disable()
    module, _, name = target.partition(":")
    app = getattr(importlib.import_module(module), name)
    # a result that meets a broker which is just restarting is stored a little later, not lost
    app.conf.result_backend_always_retry = True
    worker = app.Worker(
        hostname=node,
        concurrency=concurrency,
        queues=queues or None,
        loglevel="INFO",
        consumer_cls=BatchingConsumer,
        task_events=True,
        without_mingle=True,
        without_gossip=True,
    )
    # what is loaded by now stays: out of the collector's sight, the pool's processes
    # go on sharing its memory instead of copying it at their first collection
    gc.freeze()
    gc.enable()
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
