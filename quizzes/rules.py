"""What a bank file must also hold to, and no schema can say."""

from collections.abc import Iterable
from typing import Any

from quizzes import texts
from quizzes.marking import within
from quizzes.source import Source, Steps


def check(source: Source) -> None:
    """Refuse a file that has the right form and makes no sense.

    Parameters
    ----------
    source
        A file that fits the schema.

    Raises
    ------
    BadQuiz
        For the first rule that is broken.
    """
    _named_as_its_file(source)
    _fences(source, (), source.content)
    ids: set[str] = set()
    for place, question in enumerate(source.content["questions"]):
        here: Steps = ("questions", place)
        if question["id"] in ids:
            problem = texts.DUPLICATE_ID.format(id=question["id"])
            raise source.refuse((*here, "id"), problem, texts.EXPECT_OTHER_ID)
        ids.add(question["id"])
        match question["kind"]:
            case "order":
                _order(source, here, question)
            case "number":
                _number(source, here, question)
            case _:
                _choices(source, here, question)


def _named_as_its_file(source: Source) -> None:
    wanted = source.path.stem.replace("_", "-")
    found = source.content["lesson"]
    if found != wanted or "-" in source.path.stem:
        expected = texts.EXPECT_LESSON.format(wanted=wanted)
        raise source.refuse(("lesson",), texts.WRONG_LESSON.format(found=found), expected)
    folder = f"phase{found.partition('-')[0]}"
    if source.path.parent.name != folder:
        problem = texts.WRONG_FOLDER.format(found=source.path.parent.name)
        raise source.refuse(("lesson",), problem, texts.EXPECT_FOLDER.format(wanted=folder))


def _fences(source: Source, here: Steps, part: Any) -> None:
    if isinstance(part, dict):
        for name, value in part.items():
            _fences(source, (*here, name), value)
    elif isinstance(part, list):
        for place, value in enumerate(part):
            _fences(source, (*here, place), value)
    elif isinstance(part, str) and part.count("```") % 2:
        raise source.refuse(here, texts.FENCE_OPEN, texts.EXPECT_FENCE)


def _choices(source: Source, here: Steps, question: dict[str, Any]) -> None:
    choices = question["choices"]
    _differ(
        source,
        (((*here, "choices", place), choice.get("right") or choice["wrong"])
         for place, choice in enumerate(choices)),
    )  # fmt: skip
    right = sum("right" in choice for choice in choices)
    expected = texts.EXPECT_SOME_RIGHT if question["kind"] == "several" else texts.EXPECT_ONE_RIGHT
    if right == 0:
        raise source.refuse((*here, "choices"), texts.NONE_RIGHT, expected)
    if right > 1 and question["kind"] != "several":
        raise source.refuse((*here, "choices"), texts.MANY_RIGHT.format(count=right), expected)


def _order(source: Source, here: Steps, question: dict[str, Any]) -> None:
    steps = question["steps"]
    _differ(source, (((*here, "steps", place), step) for place, step in enumerate(steps)))
    for place, mistake in enumerate(question.get("mistakes", ())):
        at: Steps = (*here, "mistakes", place)
        for name in ("puts", "before"):
            if mistake[name] > len(steps):
                problem = texts.NO_SUCH_STEP.format(step=mistake[name])
                raise source.refuse((*at, name), problem, texts.EXPECT_STEP.format(count=len(steps)))
        if mistake["puts"] <= mistake["before"]:
            problem = texts.NO_MISTAKE.format(puts=mistake["puts"], before=mistake["before"])
            raise source.refuse((*at, "puts"), problem, texts.EXPECT_MISTAKE_ORDER)


def _number(source: Source, here: Steps, question: dict[str, Any]) -> None:
    answer, tolerance = question["answer"], question.get("tolerance", 0)
    for place, mistake in enumerate(question.get("mistakes", ())):
        if within(mistake["answer"], answer, tolerance):
            problem = texts.MISTAKE_IS_RIGHT.format(answer=mistake["answer"])
            expected = texts.EXPECT_MISTAKE_NUMBER.format(answer=answer)
            raise source.refuse((*here, "mistakes", place, "answer"), problem, expected)


def _differ(source: Source, found: Iterable[tuple[Steps, str]]) -> None:
    met: set[str] = set()
    for here, text in found:
        if text in met:
            raise source.refuse(here, texts.DUPLICATE_TEXT.format(text=text), texts.EXPECT_OTHER_TEXT)
        met.add(text)
