"""The bundled worker: starts what ``celery -A … worker`` starts, without the command line.

Celery's command loads the code of all its subcommands, a fifth of a second that every
lesson would wait for.
"""

import gc
import importlib
import sys

from celerylab.stack import started

APP = "labtasks.app:app"
PROBE_TASK = "labtasks.basics.add"  # who knows it is a bundled worker
NODE = "bundled@lab"
CONCURRENCY = 2


def main() -> int:
    """Run the worker in this process until it is told to stop; return its exit status."""
    gc.disable()
    module, _, name = APP.partition(":")
    app = getattr(importlib.import_module(module), name)
    importlib.import_module(started.__name__)
    worker = app.Worker(
        hostname=NODE,
        concurrency=CONCURRENCY,
        loglevel="INFO",
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
    sys.exit(main())
