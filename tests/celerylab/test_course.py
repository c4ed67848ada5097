"""The catalogue, and the map drawn from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab.course import UnknownLesson, lesson, lessons
from celerylab.course_map import course_map
from celerylab.progress import record

FRESH = """\
  No.  Lesson              Time    Exercises  Quiz    State

Phase 1: Set up
  1-1  Find out why        10 min
  1-2  Run a `task` | now  20 min  0 of 2     0 of 2

Phase 2: Canvas
  2-1  Canvas

Next: 1-2 Run a `task` | now"""


def test_lessons_are_read_from_the_files(clone: Path) -> None:
    first, second, third = lessons(clone)
    assert (first.id, first.title, first.minutes, first.quiz) == ("1-1", "Find out why", 10, None)
    assert (second.id, second.title, second.minutes, second.stem) == ("1-2", "Run a `task` | now", 20, "1_2")
    assert second.exercises == ("1-2a", "1-2b")
    assert second.questions == ("what", "why")
    assert second.quiz == clone / "quizzes/bank/phase1/1_2.yaml"
    assert second.drawings == (clone / "notebooks/phase1/img/1_2_path.svg",)
    assert (third.id, third.phase, third.title, third.minutes) == ("2-1", 2, "Canvas", None)


def test_lessons_are_in_number_order(clone: Path, notebook: Callable[..., Path]) -> None:
    notebook(clone / "notebooks/phase1/1_10_last.ipynb", "# Tenth")
    assert [each.id for each in lessons(clone)] == ["1-1", "1-2", "1-10", "2-1"]


@pytest.mark.parametrize(
    "name", ["1_2_first-Copy1.ipynb", "1_2_first_mine.ipynb", "2_2_misplaced.ipynb", "notes.ipynb"]
)
def test_lessons_leave_other_notebooks_out(clone: Path, notebook: Callable[..., Path], name: str) -> None:
    before = lessons(clone)
    notebook(clone / "notebooks/phase1" / name, "# Another")
    assert lessons(clone) == before


@pytest.mark.parametrize("content", ["", "[]", "no json", '{"cells": [], "metadata": {}}', '{"cells": 3}'])
def test_lesson_that_the_learner_broke_stays_listed(clone: Path, content: str) -> None:
    (clone / "notebooks/phase1/1_2_first.ipynb").write_text(content)
    assert lesson("1-2", clone).title == "First"


@pytest.mark.parametrize("content", ["", "questions: 3", "{", "questions: [3]"])
def test_lesson_with_a_bad_quiz_stays_listed(clone: Path, content: str) -> None:
    (clone / "quizzes/bank/phase1/1_2.yaml").write_text(content)
    assert lesson("1-2", clone).questions == ()


@pytest.mark.parametrize(
    "line", ["Time: about 7 minutes", "**Time:** about 7 min.", "- **Time**: about 7 minutes"]
)
def test_minutes_are_read_from_the_first_cell(clone: Path, notebook: Callable[..., Path], line: str) -> None:
    notebook(clone / "notebooks/phase1/1_1_why.ipynb", f"# Why\n\n{line}", "Time: about 9 minutes")
    assert lesson("1-1", clone).minutes == 7


def test_lesson_unknown_lists_those_that_exist(clone: Path) -> None:
    with pytest.raises(UnknownLesson, match=r"no lesson '9-9'. These exist: 1-1, 1-2, 2-1"):
        lesson("9-9", clone)


def test_map_of_a_new_learner_is_always_the_same(clone: Path) -> None:
    assert repr(course_map(clone)) == FRESH
    assert course_map(clone)._repr_markdown_().splitlines()[4:] == [
        "| 1-1 | [Find out why](phase1/1_1_why.ipynb) | 10 min |  |  |  |",
        r"| 1-2 | [Run a `task` \| now](phase1/1_2_first.ipynb) | 20 min | 0 of 2 | 0 of 2 |  |",
        "",
        "### Phase 2: Canvas",
        "",
        "| No. | Lesson | Time | Exercises | Quiz | State |",
        "|---|---|---|---|---|---|",
        "| 2-1 | [Canvas](phase2/2_1_canvas.ipynb) |  |  |  |  |",
        "",
        "Next: [Run a `task` | now](phase1/1_2_first.ipynb)",
    ]


def test_map_shows_progress_and_what_is_open(clone: Path) -> None:
    record("exercise", "1-2a", right=True)
    record("exercise", "1-2b", right=False)
    shown = repr(course_map(clone))
    assert "  1-2  Run a `task` | now  20 min  1 of 2     0 of 2  begun" in shown
    assert shown.endswith("Next: 1-2 Run a `task` | now (still open: exercise 1-2b, 2 of the quiz)")


def test_map_of_a_finished_course(clone: Path) -> None:
    for item in ("1-2a", "1-2b"):
        record("exercise", item, right=True)
    for part in ("what", "why"):
        record("quiz", "1-2", right=True, part=part)
    shown = repr(course_map(clone))
    assert "2 of 2     2 of 2  done" in shown
    assert shown.endswith("The course is done.")


def test_map_ignores_questions_that_are_gone(clone: Path) -> None:
    record("quiz", "1-2", right=True, part="removed since")
    assert "0 of 2     0 of 2  begun" in repr(course_map(clone))


def test_map_stands_without_readable_progress(clone: Path, home: Path) -> None:
    (home / "progress.sqlite3").mkdir(parents=True)
    shown = repr(course_map(clone))
    assert shown.startswith(FRESH.split("\n\nNext")[0])
    assert "cannot be read" in shown


def test_map_of_an_empty_clone(tmp_path: Path) -> None:
    assert repr(course_map(tmp_path)).endswith("This copy of the course holds no lessons.")
