"""Packages whose parts are loaded when somebody asks for them: a worker that starts needs few."""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any


def parts(package: str, names: Mapping[str, Collection[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package.

    Parameters
    ----------
    package
        Its name.
    names
        What each of its modules gives to the package, by the module's name in it.
    """

    def get(name: str) -> Any:
        for part, given in names.items():
            if name in given:
                return getattr(import_module(f"{package}.{part}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
