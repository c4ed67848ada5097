"""How labtasks and the learner's modules are told where things are: through the environment."""

import os
from collections.abc import Mapping

from celerylab.stack import ports
from celerylab.stack.owner import owner

URL = "CELERYLAB_BROKER_URL"
RESULT_BACKEND = "CELERYLAB_RESULT_BACKEND"
SMTP_HOST, SMTP_PORT = "CELERYLAB_SMTP_HOST", "CELERYLAB_SMTP_PORT"
DATABASE_URL = "CELERYLAB_DATABASE_URL"
WORK_FOLDER = "CELERYLAB_WORK_FOLDER"
# Celery reads these before Celery(broker=...): an address left there would take over every app
OVERRIDING = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
)


class Environment:
    """Variables of this process and of those that it starts, as a lab sets them."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def own(self, broker_url: str, smtp_port: int) -> None:
        """Name the lab's own broker, mail server, database and folder, whatever was given."""
        aside = dict.fromkeys((*OVERRIDING, RESULT_BACKEND))
        self._set({**aside, URL: broker_url, **_mail(smtp_port), **_database(), **_work_folder()})

    def complete(self, smtp_port: int) -> None:
        """Name the lab's own mail server, database and folder where none is given."""
        mail = {} if os.environ.get(SMTP_HOST) else _mail(smtp_port)
        database = {} if os.environ.get(DATABASE_URL) else _database()
        folder = {} if os.environ.get(WORK_FOLDER) else _work_folder()
        self._set({**dict.fromkeys(OVERRIDING), **mail, **database, **folder})

    def restore(self) -> None:
        """Set the variables back to what they were."""
        for name, value in self._before.items():
            _set(name, value)

    def _set(self, ours: Mapping[str, str | None]) -> None:
        for name, value in ours.items():
            self._before.setdefault(name, os.environ.get(name))
            _set(name, value)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _mail(port: int) -> dict[str, str]:
    return {SMTP_HOST: ports.HOST, SMTP_PORT: str(port)}


def _database() -> dict[str, str]:
    return {DATABASE_URL: f"sqlite:///{owner().folder / 'lab.sqlite3'}"}


def _work_folder() -> dict[str, str]:
    return {WORK_FOLDER: str(owner().folder / "work")}
