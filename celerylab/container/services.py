"""The program of each service, with the environment that it needs and no more."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from celerylab.container.notebooks import renew
from celerylab.container.secrets import read

BROKER_HOST, BROKER_PORT = "redis", 6379
DATABASE_HOST = "postgres"
DATABASE = "DATABASE"  # the file in which the service `settings` names the database
SQLITE, POSTGRESQL = "sqlite", "postgresql"
FLOWER_PORT = 5555
API_PORT = 8000
MAIL_SMTP_PORT, MAIL_HTTP_PORT = 1025, 8025
APP = "labtasks.app:app"
ROOT = Path("/app")


def broker_url() -> str:
    """Return the address of the stack's Redis, password included."""
    return f"redis://:{read('REDIS_PASSWORD')}@{BROKER_HOST}:{BROKER_PORT}/0"


def database_url() -> str:
    """Return the address of the database for records, as SQLAlchemy reads it."""
    if read(DATABASE) == SQLITE:
        return "sqlite:////data/lab.sqlite3"
    # named, or a server without an encoding of its own has its text read as bytes
    encoding = "client_encoding=utf8"
    return f"postgresql+psycopg://lab:{read('POSTGRES_PASSWORD')}@{DATABASE_HOST}/lab?{encoding}"


def lab_environment() -> dict[str, str]:
    """Return what the tasks and the toolbox read: where broker, results, records and mail are."""
    environment = {
        "CELERYLAB_BROKER_URL": broker_url(),
        "CELERYLAB_BROKER_OWNED": "true",
        "CELERYLAB_DATABASE_URL": database_url(),
        "CELERYLAB_SMTP_HOST": "mail",
        "CELERYLAB_SMTP_PORT": str(MAIL_SMTP_PORT),
        "CELERYLAB_MAIL_URL": f"http://mail:{MAIL_HTTP_PORT}",
        "CELERYLAB_WORK_FOLDER": "/data/work",
    }
    if read(DATABASE) == POSTGRESQL:
        environment["CELERYLAB_RESULT_BACKEND"] = f"db+{database_url()}"
    return environment


def bundled_node() -> str:
    """Return this container's node name: with ``--scale worker=3`` there are three."""
    return f"bundled@{socket.gethostname()}"


def beat_node() -> str:
    """Return the name under which this container's Beat answers a ping."""
    return f"celerybeat@{socket.gethostname()}"


def flower_login() -> tuple[str, str]:
    """Return user and password of Flower."""
    return os.environ.get("FLOWER_USER", "lab"), read("FLOWER_PASSWORD")


def jupyter_port() -> str:
    """Return the port of JupyterLab, inside the container and out."""
    return os.environ.get("JUPYTER_PORT", "8888")


def worker() -> list[str]:
    """Return the command of the bundled worker."""
    concurrency = os.environ.get("WORKER_CONCURRENCY", "2")
    queues = os.environ.get("WORKER_QUEUES", "")
    return [sys.executable, "-m", "celerylab.stack.bundled", APP, bundled_node(), concurrency, queues]


def beat() -> list[str]:
    """Return the command of Beat, which keeps in its volume what it has sent."""
    options = ["--enable-remote-control", "--schedule", "/beat/schedule", "--pidfile", "", "-l", "INFO"]
    return ["celery", "-A", APP, "beat", *options]


def flower() -> list[str]:
    """Return the command of Flower, its password in the environment."""
    os.environ["FLOWER_BASIC_AUTH"] = ":".join(flower_login())
    return ["celery", "-A", APP, "flower", "--address=0.0.0.0", f"--port={FLOWER_PORT}"]


def api() -> list[str]:
    """Return the command of the API and its page, its key in the environment."""
    os.environ["CELERYLAB_API_KEY"] = read("API_KEY")
    where = ["--host", "0.0.0.0", "--port", str(API_PORT)]  # noqa: S104  # published on loopback
    return ["uvicorn", "labtasks.web.api:api", *where, "--log-level", "warning"]


def mail() -> list[str]:
    """Return the command of the SMTP catcher."""
    return [sys.executable, "-m", "celerylab.stack.mailserver", str(MAIL_SMTP_PORT), str(MAIL_HTTP_PORT)]


def jupyter() -> list[str]:
    """Return the command of JupyterLab, its token in the environment, the notebooks in place."""
    renew(ROOT / "published/notebooks", ROOT / "notebooks")
    os.environ["JUPYTER_TOKEN"] = read("JUPYTER_TOKEN")
    where = ["--host", "0.0.0.0", "--port", jupyter_port()]  # noqa: S104  # published on loopback
    return ["celerylab", "lab", *where, "--no-browser"]


def client() -> list[str]:
    """Return the command of the sample client."""
    return [sys.executable, "-m", "labtasks.client"]


SERVICES: dict[str, Callable[[], list[str]]] = {
    "worker": worker,
    "beat": beat,
    "flower": flower,
    "api": api,
    "mail": mail,
    "jupyter": jupyter,
    "client": client,
}
