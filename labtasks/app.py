"""The Celery app."""

from celery import Celery

from labtasks import metrics, queue_health, watch
from labtasks.dead_letters import install
from labtasks.settings import wants_records

RECORDS = wants_records()

app = Celery("labtasks", task_cls="labtasks.records.task:ContextTask" if RECORDS else None)
# by name: read when the app is first used, so that importing a task needs no broker yet
app.config_from_object("labtasks.celeryconfig")
# what fails for good is kept: celerylab dead-letters list
install(app)
# how long a message has waited, and what becomes of it: CELERYLAB_METRICS_PORT
queue_health.stamp(app)
metrics.install(app)
# who is told when something is wrong: CELERYLAB_WATCH_SECONDS, in Beat
watch.install(app)
# what becomes of each task, and what workers log, in the database: CELERYLAB_RECORDS
if RECORDS:
    from labtasks import records

    records.setup_celery_logging(records.install(app))
