"""Every exercise of the course, both ways: what must not pass doesn't, what must pass does.

All attempts at an exercise run in one lab, wrong ones first, as a learner makes them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from harness import PRELUDE, TIMEOUT, Ran, run_programs

from exercises.definition import find, load
from exercises.errors import BadExercise
from exercises.source import cells
from exercises.starter import starter

IDS = list(find())
STARTER, SOLUTION = "starter", "solution"

# the first test of an exercise to run waits for all attempts at it
pytestmark = pytest.mark.timeout(10 * TIMEOUT)


def wrong_answers() -> Iterator[object]:
    for exercise_id in IDS:
        try:
            wrong = load(exercise_id).wrong
        except BadExercise:
            continue  # test_module_is_accepted says why
        for number, (key, _) in enumerate(wrong):
            yield pytest.param(exercise_id, key, number, id=f"{exercise_id}-{key}-{number}")


@cache
def attempts(exercise_id: str) -> dict[str | int, Ran]:
    """Run all attempts: the starter, the wrong answers by their number, the solution."""
    lesson, definition = starter(exercise_id), load(exercise_id)
    programs: dict[str | int, list[str]] = {STARTER: lesson.program()}
    for number, (_, source) in enumerate(definition.wrong):
        programs[number] = lesson.program(cells(source))
    programs[SOLUTION] = lesson.program(cells(definition.solution))
    with tempfile.TemporaryDirectory() as folder:
        drawings = lesson.notebook.parent / "img"
        if drawings.exists():
            shutil.copytree(drawings, Path(folder) / "img")
        ran = run_programs([[PRELUDE, *program] for program in programs.values()], Path(folder))
    return dict(zip(programs, ran, strict=True))


def attempt(exercise_id: str, which: str | int) -> Ran:
    ran = attempts(exercise_id)[which]
    assert not ran.failed, f"the cells failed:\n{ran.failed}"
    assert not ran.warned, f"beside its verdict, the check shows:\n{ran.warned}"
    return ran


@pytest.mark.parametrize("exercise_id", IDS)
def test_module_is_accepted(exercise_id: str) -> None:
    assert load(exercise_id).id == exercise_id


@pytest.mark.parametrize("exercise_id", IDS)
def test_starter_runs_and_is_not_attempted(exercise_id: str) -> None:
    ran = attempt(exercise_id, STARTER)
    assert ran.kind == "not attempted", ran.message


@pytest.mark.parametrize("exercise_id", IDS)
def test_solution_passes(exercise_id: str) -> None:
    ran = attempt(exercise_id, SOLUTION)
    assert ran.kind == "right", ran.message


@pytest.mark.parametrize(("exercise_id", "key", "number"), list(wrong_answers()))
def test_wrong_answer_gets_its_feedback(exercise_id: str, key: str, number: int) -> None:
    ran = attempt(exercise_id, number)
    assert (ran.kind, ran.key) == ("not right", key), ran.message
