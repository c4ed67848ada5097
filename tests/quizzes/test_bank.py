from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quizzes.library import files, load
from quizzes.model import ChoiceQuestion, OrderQuestion, Question
from quizzes.running import shown_by

BANK = files()
PREDICTED = [
    pytest.param(question, id=f"{lesson}-{question.id}")
    for lesson, path in BANK.items()
    for question in load(path).questions
    if question.kind == "predict"
]


def answer_key_fault(question: ChoiceQuestion) -> str:
    shown = shown_by(question)
    right = next(choice.text for choice in question.choices if choice.right)
    return "" if shown == right.rstrip() else f"the bank says\n{right}\nand the code shows\n{shown}"


@pytest.mark.parametrize("path", BANK.values(), ids=list(BANK))
def test_bank_when_every_answer_is_explained(path: Path) -> None:
    for question in load(path).questions:
        assert all(why.strip() for why in explanations(question)), question.id


@pytest.mark.parametrize("path", BANK.values(), ids=list(BANK))
def test_bank_when_read_aloud(path: Path) -> None:
    for question in load(path).questions:
        for said in [question.ask, *explanations(question)]:
            assert "!" not in said, said


@pytest.mark.parametrize("question", PREDICTED)
def test_bank_when_predicted_code_runs(question: ChoiceQuestion) -> None:
    assert answer_key_fault(question) == ""


def test_answer_key_when_it_is_wrong(write: Callable[..., Path], sample: str) -> None:
    path = write(sample.replace("          two\n          3\n", "          two\n          4\n"))
    planted = load(path).questions[2]
    assert isinstance(planted, ChoiceQuestion)
    assert "and the code shows\none\ntwo\n3" in answer_key_fault(planted)


def test_answer_key_when_it_is_right(write: Callable[..., Path]) -> None:
    question = load(write()).questions[2]
    assert isinstance(question, ChoiceQuestion)
    assert answer_key_fault(question) == ""


def explanations(question: Question) -> Iterator[str]:
    if isinstance(question, ChoiceQuestion):
        yield from (choice.why for choice in question.choices)
        return
    yield question.why
    if isinstance(question, OrderQuestion):
        yield from (swap.why for swap in question.mistakes)
    else:
        yield from (number.why for number in question.mistakes)
