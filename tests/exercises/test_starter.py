"""An exercise's cells in its notebook."""

from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab.course import UnknownLesson
from exercises.errors import BadExercise
from exercises.starter import read_starter, starter

TAG = ["exercise:9-1a"]
OPENING = ('ex = exercise("9-1a")\nex', TAG)
STARTER = ("answer = ...", TAG)
CHECKING = ("ex.check(answer)", TAG)


def test_starter_reads_the_tagged_cells(notebook: Callable[..., Path]) -> None:
    path = notebook(
        ("1 + 1", []), OPENING, STARTER, ("more = 1", [*TAG, "other"]), CHECKING, ("2", ["exercise:9-1b"])
    )
    found = read_starter("9-1a", path)
    assert found.cells == ("answer = ...", "more = 1")
    assert found.program() == [OPENING[0], "answer = ...", "more = 1", CHECKING[0]]
    assert found.program(["answer = 3"]) == [OPENING[0], "answer = 3", CHECKING[0]]


def test_starter_without_tagged_cells_is_refused(notebook: Callable[..., Path]) -> None:
    with pytest.raises(BadExercise, match=r"9_1_sample.ipynb has no code cells tagged 'exercise:9-1a'"):
        read_starter("9-1a", notebook(("1 + 1", [])))


@pytest.mark.parametrize(
    "cells",
    [
        [OPENING],
        [OPENING, CHECKING],
        [STARTER, CHECKING],
        [OPENING, STARTER],
        [OPENING, CHECKING, STARTER],
        [OPENING, STARTER, CHECKING, CHECKING],
        [('ex = exercise("9-1b")', TAG), STARTER, CHECKING],
    ],
)
def test_starter_in_the_wrong_order_is_refused(
    notebook: Callable[..., Path], cells: list[tuple[str, list[str]]]
) -> None:
    with pytest.raises(BadExercise, match='the first must hold exercise\\("9-1a"\\)'):
        read_starter("9-1a", notebook(*cells))


def test_starter_of_an_unknown_lesson_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownLesson, match="9-1"):
        starter("9-1a", tmp_path)
