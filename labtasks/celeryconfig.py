"""Celery's configuration of the app, in Celery's own names."""

from labtasks.settings import settings

_settings = settings()

broker_url = _settings.broker_url
result_backend = _settings.result_backend or _settings.broker_url
broker_connection_retry_on_startup = True

include = ["labtasks.basics", "labtasks.images", "labtasks.mail", "labtasks.partners"]

# a queue of its own, so that the bundled worker takes no message of a learner's app
task_default_queue = "labtasks"

result_expires = 3600  # s
timezone = "UTC"
