"""The passwords of the stack: given in ``.env``, or made at random at the first start."""

import os
import re
import secrets
from pathlib import Path

from celerylab.container import texts
from celerylab.errors import LabError

FOLDER = Path("/run/lab")
NAMES = ("REDIS_PASSWORD", "POSTGRES_PASSWORD", "FLOWER_PASSWORD", "JUPYTER_TOKEN", "API_KEY")
ALLOWED = re.compile(r"[A-Za-z0-9._~-]{8,}")


class BadSecret(LabError):
    """A password is unknown, holds what it can't, or has not been made yet."""


def make(folder: Path = FOLDER) -> list[str]:
    """Write each secret into a file of its name; return the names of those made at random.

    One that the environment gives is taken from there. One that was made earlier stays.

    Raises
    ------
    BadSecret
        A given one has characters that an address can't hold. Nothing was written then.
    """
    given = {name: os.environ[name] for name in NAMES if name in os.environ}
    for name, value in given.items():
        if not ALLOWED.fullmatch(value):
            raise BadSecret(texts.NOT_ALLOWED.format(name=name))
    made = [name for name in NAMES if name not in given and not (folder / name).exists()]
    for name, value in [*given.items(), *((name, secrets.token_urlsafe(24)) for name in made)]:
        write(name, value, folder)
    return made


def write(name: str, value: str, folder: Path = FOLDER) -> None:
    """Write a file that whoever reads it meanwhile finds old or new, never half."""
    fresh = folder / f".{name}"
    fresh.write_text(value, encoding="ascii")
    # the services run as users of their own; only those that mount the volume see it
    fresh.chmod(0o444)
    fresh.replace(folder / name)


def read(name: str, folder: Path = FOLDER) -> str:
    """Return a secret, or another value that the service ``settings`` wrote.

    Raises
    ------
    BadSecret
        It has not been written.
    """
    try:
        return (folder / name).read_text(encoding="ascii")
    except OSError as problem:
        raise BadSecret(texts.NOT_MADE.format(path=folder / name)) from problem


def show(name: str, folder: Path = FOLDER) -> str:
    """Return a secret by the name that ``.env`` gives it; ``BadSecret`` for any other name."""
    if name not in NAMES:
        raise BadSecret(texts.UNKNOWN_NAME.format(name=name, known=", ".join(NAMES)))
    return read(name, folder)
