"""Every exercise of the course, both ways: what must not pass doesn't, what must pass does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import PRELUDE, run_cells

from exercises.definition import find, load
from exercises.errors import BadExercise
from exercises.source import cells
from exercises.starter import Starter, starter

IDS = list(find())


def wrong_answers() -> Iterator[object]:
    for exercise_id in IDS:
        try:
            wrong = load(exercise_id).wrong
        except BadExercise:
            continue  # test_module_is_accepted says why
        for number, (key, source) in enumerate(wrong):
            yield pytest.param(exercise_id, key, source, id=f"{exercise_id}-{key}-{number}")


def beside(lesson: Starter, folder: Path) -> Path:
    """Copy what stands beside the lesson, so that its cells find it and leave nothing there."""
    drawings = lesson.notebook.parent / "img"
    if drawings.exists():
        shutil.copytree(drawings, folder / "img")
    return folder


@pytest.mark.parametrize("exercise_id", IDS)
def test_module_is_accepted(exercise_id: str) -> None:
    assert load(exercise_id).id == exercise_id


@pytest.mark.parametrize("exercise_id", IDS)
def test_starter_runs_and_is_not_attempted(exercise_id: str, tmp_path: Path) -> None:
    lesson = starter(exercise_id)
    ran = run_cells([PRELUDE, *lesson.program()], beside(lesson, tmp_path))
    assert ran.kind == "not attempted", ran.message


@pytest.mark.parametrize("exercise_id", IDS)
def test_solution_passes(exercise_id: str, tmp_path: Path) -> None:
    lesson = starter(exercise_id)
    answer = cells(load(exercise_id).solution)
    ran = run_cells([PRELUDE, *lesson.program(answer)], beside(lesson, tmp_path))
    assert ran.kind == "right", ran.message


@pytest.mark.parametrize(("exercise_id", "key", "source"), list(wrong_answers()))
def test_wrong_answer_gets_its_feedback(exercise_id: str, key: str, source: str, tmp_path: Path) -> None:
    lesson = starter(exercise_id)
    ran = run_cells([PRELUDE, *lesson.program(cells(source))], beside(lesson, tmp_path))
    assert (ran.kind, ran.key) == ("not right", key), ran.message
