"""The Celery app."""

from celery import Celery

app = Celery("labtasks")
# by name: read when the app is first used, so that importing a task needs no broker yet
app.config_from_object("labtasks.celeryconfig")
