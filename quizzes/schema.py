"""The form of a bank file, checked against ``schema.json``."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quizzes import texts
from quizzes.source import Source, Steps

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SCHEMA = Path(__file__).with_name("schema.json")
_LONGEST = 60


def check(source: Source) -> None:
    """Refuse a file whose form is not the schema's.

    Parameters
    ----------
    source
        The file, as read.

    Raises
    ------
    BadQuiz
        For the first thing in the file that does not fit.
    """
    errors = sorted(_validator().iter_errors(source.content), key=lambda error: _rank(source, error))
    if errors:
        steps, problem = _problem(errors[0])
        raise source.refuse(steps, problem, _schema_of(errors[0]).get("description", ""))


@cache
def _validator() -> "Draft202012Validator":
    with _few_formats():
        from jsonschema import Draft202012Validator
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@contextmanager
def _few_formats() -> Iterator[None]:
    # jsonschema imports every format checker that is installed, and JupyterLab installs them
    # all. These two cost 0.8 s and 15 MB in each learner's kernel, for formats not used here.
    unused = [name for name in ("isoduration", "rfc3987_syntax") if name not in sys.modules]
    hidden: dict[str, Any] = dict.fromkeys(unused)
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in unused:
            del sys.modules[name]


def _rank(source: Source, error: "ValidationError") -> tuple[int, bool]:
    # A misspelt field is both unknown and missing; only the first of the two helps.
    return source.line(tuple(error.absolute_path)), error.validator != "additionalProperties"


def _schema_of(error: "ValidationError") -> dict[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}


def _problem(error: "ValidationError") -> tuple[Steps, str]:
    steps: Steps = tuple(error.absolute_path)
    found: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = _schema_of(error)["properties"]
            field = next(name for name in found if name not in known)
            return (*steps, field), texts.UNKNOWN_FIELD.format(field=field)
        case "required":
            field = next(name for name in _schema_of(error)["required"] if name not in found)
            return steps, texts.MISSING_FIELD.format(field=field)
        case "oneOf":
            return steps, texts.BOTH if "right" in found else texts.NEITHER
        case _:
            return steps, _found(found)


def _found(found: Any) -> str:
    if found == "":
        return texts.NOTHING
    if isinstance(found, list):
        shown = texts.FOUND_LIST.format(count=len(found))
    elif isinstance(found, dict):
        shown = texts.FOUND_FIELDS
    else:
        shown = repr(found)
    return texts.FOUND.format(found=shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…")
