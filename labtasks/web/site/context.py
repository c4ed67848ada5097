"""A Celery app whose tasks run in a Flask application context."""

from typing import Any

from celery import Celery, Task
from flask import Flask


def init_celery(app: Flask) -> Celery:
    """Make the Celery app of a Flask app, configured by its ``CELERY``.

    Every task made with it, ``shared_task`` included, may use ``current_app`` and what depends
    on it: extensions, templates. The class is given before there is any task. Assigned to
    ``celery.Task`` later, it misses the tasks that somebody has touched already.

    Parameters
    ----------
    app
        The Flask app; its ``extensions["celery"]`` is the result.
    """

    class FlaskTask(Task):  # type: ignore[type-arg,unused-ignore]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery = Celery(app.import_name, task_cls=FlaskTask)
    celery.config_from_object(app.config["CELERY"])
    # shared tasks belong to the default app
    celery.set_default()
    app.extensions["celery"] = celery
    return celery
