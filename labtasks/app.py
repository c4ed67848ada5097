"""The Celery app."""

from celery import Celery

from labtasks.dead_letters import install

app = Celery("labtasks")
# by name: read when the app is first used, so that importing a task needs no broker yet
app.config_from_object("labtasks.celeryconfig")
# what fails for good is kept: celerylab dead-letters list
install(app)
