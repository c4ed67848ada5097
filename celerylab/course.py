"""The catalogue of the course, read from its files: nothing is registered by hand."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from celerylab import texts
from celerylab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = re.compile(r"(\d+)_(\d+)_(\w+)\.ipynb")
HEADING = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)
NUMBER = re.compile(r"^\d+[-.]\d+[.:]?\s+")
TEACHES = re.compile(r"^\*\*You will be able to\*\*\s+(.+?)\.?\s*$", re.MULTILINE)
# The map has one line for it: as many of the sentence's parts as fit, at least the first.
TEACHES_LENGTH = 115
MINUTES = re.compile(r"\btime\b[:*\s]*about\s+(\d+)\s+min", re.IGNORECASE)


class UnknownLesson(LabError):
    """There is no lesson of that id."""


@dataclass(frozen=True)
class Lesson:
    """One lesson, as its files describe it.

    Attributes
    ----------
    id
        "1-2".
    phase
        The phase's number.
    title
        The notebook's first heading.
    teaches
        The first parts of the sentence that says what the reader will be able to do, or "".
    minutes
        How long it takes, as the lesson states it, or None.
    notebook
        The lesson itself.
    exercises
        The ids of its exercises: "1-2a", "1-2b".
    questions
        The ids of its quiz's questions.
    quiz
        Its file in the bank, or None.
    drawings
        The files in ``img/`` that are named after it.
    """

    id: str
    phase: int
    title: str
    teaches: str
    minutes: int | None
    notebook: Path
    exercises: tuple[str, ...]
    questions: tuple[str, ...]
    quiz: Path | None
    drawings: tuple[Path, ...]

    @property
    def stem(self) -> str:
        """The id as file names hold it: "1_2"."""
        return self.id.replace("-", "_")


def lessons(root: Path = ROOT) -> tuple[Lesson, ...]:
    """Every lesson of the course, in order."""
    found = {}
    # Of two notebooks with one number, the longer name is the learner's own copy.
    for path in sorted(root.glob("notebooks/phase*/*.ipynb"), key=lambda path: (-len(path.name), path)):
        match = NOTEBOOK.fullmatch(path.name)
        if match and path.parent.name == f"phase{match[1]}":
            found[int(match[1]), int(match[2])] = path
    return tuple(_read(root, *number, path) for number, path in sorted(found.items()))


def lesson(lesson_id: str, root: Path = ROOT) -> Lesson:
    """Find one lesson by its id.

    Raises
    ------
    UnknownLesson
        No lesson has that id; the message lists those that exist.
    """
    known = {each.id: each for each in lessons(root)}
    if lesson_id not in known:
        raise UnknownLesson(
            texts.UNKNOWN_LESSON.format(id=lesson_id, known=", ".join(known) or texts.NONE_YET)
        )
    return known[lesson_id]


def _read(root: Path, phase: int, number: int, path: Path) -> Lesson:
    stem = f"{phase}_{number}"
    title, teaches, minutes = _opening(path)
    quiz = root / f"quizzes/bank/phase{phase}/{stem}.yaml"
    return Lesson(
        id=f"{phase}-{number}",
        phase=phase,
        title=title,
        teaches=teaches,
        minutes=minutes,
        notebook=path,
        exercises=tuple(
            f"{phase}-{number}{module.stem[-1]}"
            for module in sorted((root / f"exercises/phase{phase}").glob(f"ex_{stem}[a-z].py"))
        ),
        questions=tuple(_questions(quiz)),
        quiz=quiz if quiz.exists() else None,
        drawings=tuple(sorted((path.parent / "img").glob(f"{stem}_*"))),
    )


def _opening(path: Path) -> tuple[str, str, int | None]:
    """Read the title, what the lesson teaches, and the minutes.

    A notebook that the learner broke keeps its name as title.
    """
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        prose = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        stated = notebook["metadata"].get("celerylab", {}).get("minutes")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        prose, stated = [], None
    heading = HEADING.search("\n".join(prose))
    title = heading[1] if heading else path.stem.split("_", 2)[2].replace("_", " ").capitalize()
    minutes = MINUTES.search(prose[0]) if prose else None
    teaches = TEACHES.search(prose[0]) if prose else None
    return (
        NUMBER.sub("", title),
        _shortened(teaches[1]) if teaches else "",
        stated or (int(minutes[1]) if minutes else None),
    )


def _shortened(sentence: str) -> str:
    kept, *rest = sentence.split("; ")
    for part in rest:
        if len(kept) + len(part) > TEACHES_LENGTH:
            break
        kept += "; " + part
    return kept[0].upper() + kept[1:]


def _questions(quiz: Path) -> Iterator[str]:
    """List a quiz's question ids. The quizzes' own loader says what is wrong with a bad file."""
    try:
        bank = yaml.safe_load(quiz.read_text(encoding="utf-8"))
        yield from (str(question["id"]) for question in bank["questions"])
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        return
