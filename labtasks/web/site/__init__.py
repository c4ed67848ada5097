"""A Flask site where people register, and a worker that welcomes them by mail.

The web process: ``flask --app labtasks.web.site run``. Its worker:
``celery -A labtasks.web.site.worker worker``.
"""

from typing import Any

from flask import Flask

from labtasks.settings import settings
from labtasks.web.sending import hurry
from labtasks.web.site.context import init_celery
from labtasks.web.site.views import site

QUEUE = "site"
SWEEP = 300.0  # s between two looks for mails that nobody was told to send


def create_app(config: dict[str, Any] | None = None, *, worker: bool = False) -> Flask:
    """Make the site.

    Parameters
    ----------
    config
        Overrides values of Flask's configuration; ``CELERY`` is Celery's.
    worker
        Whether a worker makes it: that has more patience with a broker than a visitor has.

    Raises
    ------
    SettingsError
        ``CELERYLAB_BROKER_URL`` is not set, or another variable holds what it can't.
    """
    read = settings()
    app = Flask(__name__)
    app.config.from_mapping(
        SITE_NAME="Celery Lab",
        # without one of its own, a site that is restarted forgets who has registered in which browser
        SECRET_KEY=read.secret_key,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=16 * 1024,
        CELERY={
            "broker_url": read.broker_url,
            "result_backend": read.result_backend or read.broker_url,
            "broker_connection_retry_on_startup": True,
            "task_default_queue": QUEUE,
            "include": ["labtasks.web.site.tasks"],
            "beat_schedule": {
                "send-missing-mails": {
                    "task": "labtasks.web.site.tasks.send_missing_mails",
                    "schedule": SWEEP,
                    "options": {"expires": SWEEP},
                }
            },
        },
    )
    app.config.from_mapping(config or {})
    celery = init_celery(app)
    if not worker:
        hurry(celery)
    app.register_blueprint(site)
    return app
