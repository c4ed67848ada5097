"""The way from the toolbox to dead letters, which belong to the learner's side.

The toolbox names that side by text alone, and loads it when somebody asks for dead letters.
"""

import importlib
import os
from typing import Any

from celerylab import texts
from celerylab.errors import LabError

PACKAGE = "labtasks.dead_letters"
URL = "CELERYLAB_BROKER_URL"

Store = Any
"""What keeps dead letters: ``find``, ``count``, ``get``, ``drop``."""


def letters() -> Any:
    """Load the package."""
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as problem:
        raise LabError(texts.LETTERS_NO_LABTASKS.format(package=PACKAGE, problem=problem)) from None


def broker_url(url: str | None) -> str:
    """Return the broker's address: the one given, or that of the settings; ``LabError`` if none."""
    if not (found := url or os.environ.get(URL)):
        raise LabError(texts.LETTERS_NO_URL)
    return found


def open_store(url: str | None, name: str | None) -> Store:
    """Return the store that the settings name; ``LabError`` if they name none.

    Parameters
    ----------
    url
        The broker, if it is not that of the settings.
    name
        The store's name, if it is not that of ``labtasks``.
    """
    broker = broker_url(url)
    package = letters()
    try:
        return package.default_store(name or package.NAME, broker_url=broker)
    except Exception as problem:  # noqa: BLE001  # its own class is not known here
        raise LabError(str(problem)) from None
