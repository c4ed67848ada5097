"""Records: what became of every task, and every line that a worker logged, in a database.

``install(app)`` records the tasks of an app whose class is ``ContextTask``,
``setup_celery_logging()`` keeps the log lines.
"""

from typing import TYPE_CHECKING

from labtasks.lazily import parts

if TYPE_CHECKING:
    from labtasks.records.jobs import start_job
    from labtasks.records.logging import WorkerDBLogHandler, log_task_info, setup_celery_logging
    from labtasks.records.lost import recover
    from labtasks.records.recorder import Recorder, install
    from labtasks.records.tables import CeleryTaskRecord, JobSync, WorkerLog
    from labtasks.records.task import ContextTask
    from labtasks.records.writer import Writer

__all__ = [
    "CeleryTaskRecord",
    "ContextTask",
    "JobSync",
    "Recorder",
    "WorkerDBLogHandler",
    "WorkerLog",
    "Writer",
    "install",
    "log_task_info",
    "recover",
    "setup_celery_logging",
    "start_job",
]

_PARTS = {
    "jobs": ("start_job",),
    "logging": ("WorkerDBLogHandler", "log_task_info", "setup_celery_logging"),
    "lost": ("recover",),
    "recorder": ("Recorder", "install"),
    "tables": ("CeleryTaskRecord", "JobSync", "WorkerLog"),
    "task": ("ContextTask",),
    "writer": ("Writer",),
}

# loaded when asked for: who has one part need not load the others
__getattr__ = parts(__name__, _PARTS)
