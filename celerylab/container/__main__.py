"""What a container starts with: ``python -m celerylab.container start worker``, say."""

import importlib
import os
import re
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from celerylab.container import health, secrets, services, texts
from celerylab.errors import LabError

PROFILES = ("postgres",)
QUEUES = "labtasks.queues"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Service = Annotated[str, typer.Argument(help="One of: " + ", ".join(services.SERVICES))]


class Refused(LabError):
    """The settings, or the command, name what doesn't exist."""


@app.command()
def settings() -> None:
    """Check what .env says, and write what the other services read."""
    _check("COMPOSE_PROFILES", PROFILES, texts.UNKNOWN_PROFILE)
    _check("WORKER_QUEUES", importlib.import_module(QUEUES).QUEUES, texts.UNKNOWN_QUEUE)
    concurrency = os.environ.get("WORKER_CONCURRENCY", "1")
    if not re.fullmatch("[1-9][0-9]*", concurrency):
        raise Refused(texts.BAD_CONCURRENCY.format(value=concurrency))
    made = secrets.make()
    secrets.write(services.DATABASE, services.SQLITE)
    if made:
        typer.echo(texts.MADE.format(names=", ".join(made), first=made[0]))


@app.command()
def postgres_settings() -> None:
    """Have results and records kept in PostgreSQL, which runs by now."""
    secrets.write(services.DATABASE, services.POSTGRESQL)
    typer.echo(texts.POSTGRESQL)


@app.command()
def show(name: Annotated[str, typer.Argument(help="One of: " + ", ".join(secrets.NAMES))]) -> None:
    """Print a secret."""
    typer.echo(secrets.show(name))


@app.command()
def start(service: Service) -> None:
    """Become the program of a service."""
    _known(service, services.SERVICES)
    if service != "mail":  # it has no business with the broker
        os.environ.update(services.lab_environment())
    command = services.SERVICES[service]()
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606  # the container's own program


@app.command("health")
def check_health(service: Service) -> None:
    """Say how a service is; status 1 if it is unhealthy."""
    _known(service, health.PROBES)
    health.PROBES[service]()
    typer.echo(texts.HEALTHY)


def _check(variable: str, known: tuple[str, ...], refusal: str) -> None:
    for name in filter(None, os.environ.get(variable, "").split(",")):
        if name not in known:
            raise Refused(refusal.format(name=name, known=", ".join(known)))


def _known(service: str, known: Iterable[str]) -> None:
    if service not in known:
        raise Refused(texts.UNKNOWN_SERVICE.format(name=service, known=", ".join(known)))


if __name__ == "__main__":
    try:
        app()
    except LabError as problem:
        sys.exit(texts.REFUSED.format(problem=problem))
