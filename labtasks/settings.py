"""The app's settings, from the environment."""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec

PREFIX = "CELERYLAB_"


class SettingsError(Exception):
    """A variable is missing, or holds what it can't."""


class Settings(msgspec.Struct, frozen=True):
    """What the tasks need to know of where they run.

    Source: the table "Settings" in README.md documents each variable.
    """

    broker_url: str
    result_backend: str | None = None
    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 25
    mail_from: str = "noreply@example.com"
    http_timeout: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    database_url: str | None = None
    work_folder: Path = msgspec.field(default_factory=lambda: Path(tempfile.gettempdir()) / "celery-lab")
    notify_url: str | None = None
    alert_url: str | None = None
    dead_letters_url: str | None = None
    dead_letters_keep: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    dead_letters_days: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    idempotency_url: str | None = None
    acks_late: bool = False
    visibility_timeout: Annotated[int, msgspec.Meta(ge=1)] = 3600  # s
    soft_shutdown: Annotated[float, msgspec.Meta(ge=0)] = 0.0  # s
    secret_key: str = msgspec.field(default_factory=lambda: secrets.token_hex(32))
    periodic_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    records: bool = False
    records_lease: Annotated[float, msgspec.Meta(gt=0)] = 30.0  # s
    records_days: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    api_key: str | None = None
    api_rate: str = "1200/minute"
    watch_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    metrics_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    metrics_host: str = "127.0.0.1"


def settings(**instead: str) -> Settings:
    """Read the environment.

    Parameters
    ----------
    instead
        Values that count instead of the environment's, by field.

    Raises
    ------
    SettingsError
        Names the variable and what was expected.
    """
    names = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    given = {name: os.environ[variable] for variable, name in names.items() if os.environ.get(variable)}
    given |= instead
    if "broker_url" not in given:
        raise SettingsError(
            "CELERYLAB_BROKER_URL is not set: there is no broker to talk to. In a notebook, "
            "run lab.start() first; elsewhere, set it to an address such as redis://127.0.0.1:6379/0."
        )
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        name = path.strip("`").removeprefix("$.").upper()
        raise SettingsError(f"{PREFIX}{name}: {what[0].lower()}{what[1:]}.") from None


def wants_records() -> bool:
    """Whether tasks are recorded: asked where the app is made, before anything else is needed."""
    return os.environ.get(f"{PREFIX}RECORDS", "").lower() in ("true", "1")


def _decode(kind: type, value: str) -> object:
    return kind(value)
