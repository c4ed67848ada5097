"""Celery's configuration of the app, in Celery's own names."""

from labtasks.queues import CPU_INTENSIVE, DEFAULT, HIGH_PRIORITY, IO_INTENSIVE, QUEUES
from labtasks.schedules import entries
from labtasks.settings import settings

_settings = settings()

broker_url = _settings.broker_url
result_backend = _settings.result_backend or _settings.broker_url
broker_connection_retry_on_startup = True

include = [
    "labtasks.basics",
    "labtasks.batches",
    "labtasks.conditions",
    "labtasks.datasets",
    "labtasks.images",
    "labtasks.limits",
    "labtasks.mail",
    "labtasks.media",
    "labtasks.partners",
    "labtasks.payments",
    "labtasks.periodic",
    "labtasks.reports",
    "labtasks.retries",
    *(["labtasks.session_recovery"] if _settings.records else []),
]

task_default_queue = DEFAULT
task_queues = {name: {"exchange": name, "routing_key": name} for name in QUEUES}
# a misspelt queue is refused, instead of being made and never consumed
task_create_missing_queues = False
task_routes = {
    "labtasks.conditions.high_priority_processing": {"queue": HIGH_PRIORITY},
    "labtasks.reports.generate_report": {"queue": CPU_INTENSIVE},
    "labtasks.images.download_image": {"queue": IO_INTENSIVE},
    "labtasks.images.upload_image": {"queue": IO_INTENSIVE},
}
task_acks_late = _settings.acks_late
broker_transport_options = {
    "visibility_timeout": _settings.visibility_timeout,
    # by default the messages of a dead worker are looked for every 100 s, whatever the timeout
    "unacked_restore_interval": min(10, _settings.visibility_timeout),
    "unacked_restore_throttle": 1,
    # a worker that is killed while it gives messages back keeps the others from it, 300 s by default
    "unacked_mutex_expire": min(300, _settings.visibility_timeout),
}
worker_soft_shutdown_timeout = _settings.soft_shutdown

beat_schedule = entries(_settings.periodic_seconds, _settings.records_lease if _settings.records else None)
# written down at once: a Beat that is killed must not send again what it has sent
beat_sync_every = 1

result_expires = 3600  # s
timezone = "Asia/Tokyo"  # what hours and days of the schedule mean
