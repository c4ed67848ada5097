"""The toolbox's settings: ``CELERYLAB_…`` variables, read here and nowhere else."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs

from celerylab.errors import LabError

PREFIX = "CELERYLAB_"


class Settings(msgspec.Struct, frozen=True):
    """What the environment says about the lab.

    Source: the table "Settings" in README.md documents each variable.
    """

    home: Path = msgspec.field(default_factory=lambda: Path(platformdirs.user_data_dir("celery-lab")))
    broker_url: str | None = None
    broker_owned: bool = False
    broker_server: Path | None = None
    result_backend: str | None = None
    mail_url: str | None = None
    serve_host: str = "127.0.0.1"
    start_timeout: Annotated[float, msgspec.Meta(gt=0)] = 30.0


def settings() -> Settings:
    """Read the environment as it is now: lessons and tests change it while they run.

    Raises
    ------
    LabError
        A variable holds what it can't; names the variable and what was expected.
    """
    names = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    given = {name: os.environ[variable] for variable, name in names.items() if os.environ.get(variable)}
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        wrong = str(error).replace("$.", PREFIX).split("`")
        raise LabError("`".join([*wrong[:-2], wrong[-2].upper(), wrong[-1]])) from None


def _decode(kind: type, value: str) -> object:
    return kind(value)
