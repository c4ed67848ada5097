"""An exercise module, found, read and checked."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from exercises import texts
from exercises.errors import BadExercise, UnknownExercise
from exercises.feedback import check_feedback
from exercises.outcome import Outcome
from exercises.source import cells, compile_cell

FOLDER = Path(__file__).parent
NAME = re.compile(r"ex_(\d+)_(\d+)([a-z])")
LEAST_HINTS = 2
LEAST_WRONG = 2
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "TITLE": str,
    "TEXT": str,
    "HINTS": (list, tuple),
    "FEEDBACK": dict,
    "SOLUTION": str,
    "WRONG": dict,
}


@dataclass(frozen=True)
class Definition:
    """What an exercise module says.

    Attributes
    ----------
    id
        "1-2a".
    path
        The module's file.
    title, text
        What the learner reads; the text is Markdown.
    hints
        From a nudge to nearly the answer.
    feedback
        Message templates by key, those that every exercise has included.
    solution
        The source of an answer that is right.
    wrong
        Pairs of a feedback key and the source of a wrong answer that gets it.
    check
        The check itself.
    """

    id: str
    path: Path
    title: str
    text: str
    hints: tuple[str, ...]
    feedback: Mapping[str, str]
    solution: str
    wrong: tuple[tuple[str, str], ...]
    check: Callable[[object], Outcome]


def find(folder: Path = FOLDER) -> dict[str, Path]:
    """List every exercise module below a folder by the exercise's id."""
    return {_id(path): path for path in sorted(folder.glob("phase*/ex_*.py"))}


def load(exercise_id: str, folder: Path = FOLDER) -> Definition:
    """Find an exercise by its id and read its module.

    Raises
    ------
    UnknownExercise
        No exercise has that id; the message lists those that exist.
    BadExercise
        Its module is not as it must be; the message says what was expected.
    """
    known = find(folder)
    if exercise_id not in known:
        raise UnknownExercise(texts.UNKNOWN.format(id=exercise_id, known=", ".join(known) or texts.NONE_YET))
    return read(known[exercise_id])


def read(path: Path) -> Definition:
    """Read one exercise module.

    Raises
    ------
    BadExercise
        It is not as it must be; the message says what was expected.
    """
    exercise_id = _id(path)
    module = _import(path)
    if not module.__doc__:
        raise refusal(path, texts.NO_DOCSTRING)
    for name, expected in TYPES.items():
        _check_type(path, module, name, expected)
    if not _takes_one_argument(getattr(module, "check", None)):
        raise refusal(path, texts.MISSING.format(name="check", expected=texts.EXPECTED["check"]))
    _check_texts(path, module)
    problem = check_feedback(module.FEEDBACK, module.WRONG, path.read_text(encoding="utf-8"))
    if problem:
        raise refusal(path, problem)
    return Definition(
        id=exercise_id,
        path=path,
        title=module.TITLE.strip(),
        text=module.TEXT.strip(),
        hints=tuple(hint.strip() for hint in module.HINTS),
        feedback=texts.FEEDBACK | module.FEEDBACK,
        solution=module.SOLUTION,
        wrong=tuple(_wrong(module.WRONG)),
        check=module.check,
    )


def refusal(path: Path, problem: str) -> BadExercise:
    """Say what is wrong with a module, and which it is."""
    return BadExercise(texts.REFUSED.format(module=f"{path.parent.name}/{path.name}", problem=problem))


def _id(path: Path) -> str:
    match = NAME.fullmatch(path.stem)
    if not match or path.parent.name != f"phase{match[1]}":
        raise refusal(path, texts.BAD_NAME)
    return f"{match[1]}-{match[2]}{match[3]}"


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exercises.{path.parent.name}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise refusal(path, texts.BAD_NAME)
    module = importlib.util.module_from_spec(spec)
    # A dataclass in the module looks itself up there.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise refusal(path, texts.UNREADABLE.format(problem=problem)) from error
    return module


def _check_type(path: Path, module: ModuleType, name: str, expected: type | tuple[type, ...]) -> None:
    said = texts.EXPECTED[name]
    if not hasattr(module, name):
        raise refusal(path, texts.MISSING.format(name=name, expected=said))
    value = getattr(module, name)
    if not isinstance(value, expected):
        raise refusal(path, texts.WRONG_TYPE.format(name=name, found=type(value).__name__, expected=said))
    if not value:
        raise refusal(path, texts.WRONG_TYPE.format(name=name, found="empty", expected=said))


def _check_texts(path: Path, module: ModuleType) -> None:
    if "\n" in module.TITLE.strip():
        raise refusal(
            path,
            texts.WRONG_TYPE.format(name="TITLE", found="longer", expected=texts.EXPECTED["TITLE"]),
        )
    if len(module.HINTS) < LEAST_HINTS:
        raise refusal(path, texts.FEW_HINTS.format(found=len(module.HINTS), least=LEAST_HINTS))
    found = sum(1 for _ in _wrong(module.WRONG))
    if found < LEAST_WRONG:
        raise refusal(path, texts.FEW_WRONG.format(found=found, least=LEAST_WRONG))
    try:
        for cell in cells(module.SOLUTION):
            compile_cell(cell)
    except SyntaxError as error:
        raise refusal(path, texts.BAD_SOLUTION.format(problem=error)) from error


def _wrong(answers: Mapping[str, str | list[str]]) -> list[tuple[str, str]]:
    return [
        (key, source)
        for key, sources in answers.items()
        for source in ([sources] if isinstance(sources, str) else sources)
    ]


def _takes_one_argument(check: object) -> bool:
    if not callable(check):
        return False
    try:
        inspect.signature(check).bind(None)
    except TypeError:
        return False
    return True
