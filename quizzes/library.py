"""The bank: which lessons have a quiz, and what each file says.

The files lie in the folder ``bank``, one a lesson.
"""

from pathlib import Path
from typing import Any

from quizzes import rules, schema, source
from quizzes.errors import NoSuchQuiz
from quizzes.model import (
    Choice,
    ChoiceQuestion,
    NumberQuestion,
    OrderQuestion,
    Question,
    QuizText,
    Swap,
    WrongNumber,
)

BANK = Path(__file__).with_name("bank")


def files(bank: Path = BANK) -> dict[str, Path]:
    """List the bank.

    Parameters
    ----------
    bank
        The folder with the folders of the phases.

    Returns
    -------
    dict
        Lessons and their files, in the order of the course.
    """
    found = {path.stem.replace("_", "-"): path for path in bank.glob("phase*/*.yaml")}
    return dict(sorted(found.items(), key=lambda entry: _place(entry[0])))


def find(lesson: str, bank: Path = BANK) -> QuizText:
    """Read the quiz of a lesson.

    Parameters
    ----------
    lesson
        The lesson's number, such as ``"1-2"``.
    bank
        The folder with the folders of the phases.

    Returns
    -------
    QuizText
        What its file says.

    Raises
    ------
    NoSuchQuiz
        If the lesson has none.
    BadQuiz
        If its file is refused.
    """
    known = files(bank)
    if lesson not in known:
        raise NoSuchQuiz(lesson, known)
    return load(known[lesson])


def load(path: Path) -> QuizText:
    """Read a file of the bank, and refuse it unless all of it is right.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    QuizText
        What it says.

    Raises
    ------
    BadQuiz
        With the line and what was expected there.
    """
    read = source.read(path)
    schema.check(read)
    rules.check(read)
    content = read.content
    return QuizText(
        lesson=content["lesson"],
        title=content["title"],
        questions=tuple(_question(question) for question in content["questions"]),
        file=f"{path.parent.name}/{path.name}",
    )


def _place(lesson: str) -> tuple[tuple[int, str], ...]:
    # A misnamed file is listed too, so that asking for it says what is wrong with it.
    return tuple((int(part) if part.isdecimal() else 0, part) for part in lesson.split("-"))


def _question(raw: dict[str, Any]) -> Question:
    match raw["kind"]:
        case "order":
            swaps = (Swap(m["puts"] - 1, m["before"] - 1, m["why"]) for m in raw.get("mistakes", ()))
            return OrderQuestion(raw["id"], raw["ask"], tuple(raw["steps"]), raw["why"], tuple(swaps))
        case "number":
            wrong = (WrongNumber(m["answer"], m["why"]) for m in raw.get("mistakes", ()))
            return NumberQuestion(
                id=raw["id"],
                ask=raw["ask"],
                answer=raw["answer"],
                unit=raw["unit"],
                tolerance=raw.get("tolerance", 0),
                why=raw["why"],
                mistakes=tuple(wrong),
            )
        case kind:
            return ChoiceQuestion(
                id=raw["id"],
                kind=kind,
                ask=raw["ask"],
                choices=tuple(_choice(choice) for choice in raw["choices"]),
                code=raw.get("code", ""),
                needs_lab="needs" in raw,
            )


def _choice(raw: dict[str, str]) -> Choice:
    return Choice(text=raw.get("right") or raw["wrong"], right="right" in raw, why=raw["why"])
