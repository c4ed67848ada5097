"""What a message asks for, checked before anything is done."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind", bound=msgspec.Struct)
Named = TypeVar("Named")


class BadParameters(ValueError):
    """A name that nobody knows, a parameter that is missing, or one that holds what it can't."""


def known(registry: Mapping[str, Named], what: str, name: object) -> Named:
    """Return what is registered under a name; ``BadParameters`` says which names there are."""
    if not isinstance(name, str) or name not in registry:
        raise BadParameters(f"there is no {what} {name!r}; known: {', '.join(registry)}")
    return registry[name]


def read(given: object, kind: type[Kind], what: str) -> Kind:
    """Turn a dictionary of a message into a ``Struct`` of checked fields.

    Parameters
    ----------
    given
        As it came.
    kind
        A class whose fields are all that there may be.
    what
        What the dictionary is, for the message of the exception.

    Raises
    ------
    BadParameters
        Names the field, what was expected, and the fields that there are.
    """
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        fields = ", ".join(kind.__struct_fields__) or "none"
        raise BadParameters(f"{what}: {error}; known: {fields}") from None


def check(called: Callable[..., Any], name: str, given: Mapping[str, Any]) -> None:
    """Raise ``BadParameters`` unless a function can be called with these keywords.

    Names, and types as far as annotated, are compared; positional-only parameters are not
    the message's to give.
    """
    every = inspect.signature(called).parameters.values()
    taken = {p.name: p for p in every if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    faults = [f"{p.name} is missing" for p in taken.values() if p.default is p.empty and p.name not in given]
    if not any(p.kind is p.VAR_KEYWORD for p in every):
        faults += [f"{key} is unknown" for key in given if key not in taken]
    for key in [key for key in taken if key in given]:
        try:
            msgspec.convert(given[key], taken[key].annotation)
        except msgspec.ValidationError:
            fit = inspect.formatannotation(taken[key].annotation)
            faults.append(f"{key} must be {fit}, not {given[key]!r}")
    if faults:
        raise BadParameters(f"{name} takes {', '.join(taken) or 'no parameters'}: {'; '.join(faults)}")
