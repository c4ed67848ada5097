"""The harness itself, on the sample exercise: it must be able to say yes and no."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import run_cells

from exercises.definition import read
from exercises.source import cells
from exercises.starter import Starter, read_starter

SAMPLE = read(Path(__file__).parent / "samples/phase9/ex_9_1a.py")
# The real lessons ask the course's own folder; the sample has one of its own.
OPENING = (
    "from pathlib import Path\n"
    "from exercises import exercise as any_exercise\n"
    f"exercise = lambda id: any_exercise(id, Path({str(SAMPLE.path.parent.parent)!r}))\n"
    'ex = exercise("9-1a")\n'
    "ex"
)


@pytest.fixture
def lesson(notebook: Callable[..., Path]) -> Starter:
    tags = ["exercise:9-1a"]
    path = notebook(
        ("import os", []),
        (OPENING, tags),
        ("def evens(numbers):\n    ...", tags),
        ("ex.check(evens)", tags),
    )
    return read_starter("9-1a", path)


def test_starter_is_not_attempted(lesson: Starter, tmp_path: Path) -> None:
    assert run_cells(lesson.program(), tmp_path).kind == "not attempted"


def test_solution_is_right(lesson: Starter, tmp_path: Path) -> None:
    ran = run_cells(lesson.program(cells(SAMPLE.solution)), tmp_path)
    assert (ran.kind, ran.message) == ("right", "9-1a: Right. Three lists, three right counts.")


@pytest.mark.parametrize(("key", "source"), SAMPLE.wrong)
def test_wrong_answer_gets_its_key(lesson: Starter, tmp_path: Path, key: str, source: str) -> None:
    ran = run_cells(lesson.program(cells(source)), tmp_path)
    assert (ran.kind, ran.key) == ("not right", key)


def test_error_of_learner_shows_own_frames_only(lesson: Starter, tmp_path: Path) -> None:
    raised = dict(SAMPLE.wrong)["raised"]
    message = run_cells(lesson.program(cells(raised)), tmp_path).message
    assert message.splitlines()[2:] == [
        "    counting_9_1.py, line 2, in evens",
        "        return sum(numbers) / len(numbers)",
        "    ZeroDivisionError: division by zero",
    ]


def test_error_in_a_cell_names_the_cell(lesson: Starter, tmp_path: Path) -> None:
    message = run_cells(lesson.program(["def evens(numbers):\n    return nmbers"]), tmp_path).message
    assert "    your cell, line 2, in evens\n        return nmbers\n    NameError" in message


def test_cells_that_raise_fail(lesson: Starter, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_cells(lesson.program(["1 / 0"]), tmp_path)


def test_last_cell_without_outcome_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not the outcome of a check"):
        run_cells(["1 + 1"], tmp_path)
