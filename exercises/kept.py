"""What an exercise keeps from one check to the next: its own module is loaded anew for each."""

from collections.abc import Callable
from typing import Any, TypeVar

Thing = TypeVar("Thing")

_things: dict[str, Any] = {}


def kept(name: str, make: Callable[[], Thing]) -> Thing:
    """Return what was made before under a name; make it if there is nothing yet.

    For what takes long to make, and what no answer can change. It must come from the lab, which
    ends it, or need no end.
    """
    if name not in _things:
        _things[name] = make()
    return _things[name]  # type: ignore[no-any-return]
