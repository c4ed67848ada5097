"""What the loader refuses, and that it says where and what was expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exercises.definition import Definition, find
from exercises.errors import BadExercise

HINTS = """HINTS = [
    "A number is even if dividing it by 2 leaves nothing.",
    "`sum` counts: `sum(1 for each in numbers if ...)`.",
]"""
REFUSALS = {
    "no title": ("TITLE =", "OTHER =", "TITLE is missing; expected one line of text"),
    "title is no text": (
        '"Count the even numbers"',
        "3",
        "TITLE is int; expected one line of text",
    ),
    "title is empty": ('"Count the even numbers"', '""', "TITLE is empty"),
    "title of two lines": ("Count the even numbers", "Count\\nthem", "TITLE is longer"),
    "no check": ("def check(answer", "def look(answer", "check is missing; expected a function"),
    "check without argument": (
        "def check(answer: Callable[[list[int]], int])",
        "def check()",
        "check is missing; expected a function of one argument",
    ),
    "no docstring": (
        '"""Exercise 9-1a, for the engine\'s own tests: needs no worker."""',
        "",
        "has no docstring",
    ),
    "one hint": (HINTS, 'HINTS = ["Only this one."]', "HINTS has 1; expected at least 2"),
    "no right message": ('"right": "Three', '"fine": "Three', 'FEEDBACK has no "right" message'),
    "unknown wrong key": (
        '"no_function": "evens = 3"',
        '"nonsense": "evens = 3"',
        "WRONG has the key 'nonsense'; expected a key of FEEDBACK (right, no_function, wrong_count)",
    ),
    "wrong key is right": ('"no_function": "evens = 3"', '"right": "evens = 3"', "WRONG has the key 'right'"),
    "unknown key in check": (
        'not_right("no_function"',
        'not_right("nothing"',
        "check gives 'nothing'; FEEDBACK has right, no_function, wrong_count",
    ),
    "unknown placeholder": (
        "The lab got {found}",
        "The lab got {fond}",
        "FEEDBACK['no_function'] asks for {fond}, which check does not give it",
    ),
    "unnamed placeholder": (
        "The lab got {found}",
        "The lab got {}",
        "FEEDBACK['no_function'] is no template",
    ),
    "open brace": ("The lab got {found}", "The lab got {found", "FEEDBACK['no_function'] is no template"),
    "message is no text": ('"Three lists, three right counts."', "3", "FEEDBACK['right'] is no template"),
    "solution is no Python": (
        "def evens(numbers):\n    return sum(1 for each in numbers if each % 2 == 0)\n",
        "def evens(numbers:\n",
        "SOLUTION is no Python",
    ),
    "module raises": (
        "TITLE =",
        "1 / 0\nTITLE =",
        "cannot be imported (ZeroDivisionError: division by zero)",
    ),
    "module is no Python": ("TITLE =", "TITLE ==== ", "cannot be imported (SyntaxError"),
}


@pytest.mark.parametrize(("old", "new", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_read_refuses(edited: Callable[..., Definition], old: str, new: str, said: str) -> None:
    with pytest.raises(BadExercise) as refused:
        edited((old, new))
    assert str(refused.value).startswith("phase9/ex_9_1a.py: ")
    assert said in str(refused.value)


def test_read_refuses_a_single_wrong_answer(edited: Callable[..., Definition]) -> None:
    with pytest.raises(BadExercise, match="WRONG has 1 answers; expected at least 2"):
        edited(("WRONG = {", 'WRONG = {"no_function": "evens = 3"}\nOTHER = {'))


def test_read_refuses_a_misplaced_module(edited: Callable[..., Definition]) -> None:
    with pytest.raises(BadExercise, match="its name must be like"):
        edited(name="phase1/ex_9_1a.py")


def test_read_accepts_a_key_that_check_computes(edited: Callable[..., Definition]) -> None:
    definition = edited(('not_right("no_function", found', 'not_right("no_" + "function", found'))
    assert definition.title == "Count the even numbers"


def test_read_lists_each_wrong_answer(edited: Callable[..., Definition]) -> None:
    assert [key for key, _ in edited().wrong] == ["wrong_count", "wrong_count", "no_function", "raised"]


def test_find_lists_ids() -> None:
    assert list(find(Path(__file__).parent / "samples")) == ["9-1a"]
