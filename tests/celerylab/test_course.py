"""The catalogue, and the map drawn from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab import progress
from celerylab.course import UnknownLesson, lesson, lessons
from celerylab.course_map import course_map
from celerylab.progress import record

FRESH = """\
  No.  Lesson              Time    Yours  Exercises  Quiz    State

Phase 1: Set up (1 h 25 min)
  1-1  Find out why        10 min
       Ask; answer
  1-2  Run a `task` | now  75 min         0 of 2     0 of 2

Phase 2: Canvas
  2-1  Canvas

Next: 1-2 Run a `task` | now, about 75 min"""


def test_lessons_are_read_from_the_files(clone: Path) -> None:
    first, second, third = lessons(clone)
    assert (first.id, first.title, first.minutes, first.quiz) == ("1-1", "Find out why", 10, None)
    assert (first.teaches, second.teaches) == ("Ask; answer", "")
    assert (second.id, second.title, second.minutes, second.stem) == ("1-2", "Run a `task` | now", 75, "1_2")
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
    ("sentence", "line"),
    [
        ("run a task.", "Run a task"),
        ("run a task; stop it; and say why.", "Run a task; stop it; and say why"),
        (f"{'run a task ' * 9}now; stop it; and go on.", f"Run a task {'run a task ' * 8}now; stop it"),
        (f"{'run a task ' * 20}now; stop it.", f"Run a task {'run a task ' * 19}now"),
    ],
)
def test_what_a_lesson_teaches_is_as_much_of_its_sentence_as_fits(
    clone: Path, notebook: Callable[..., Path], sentence: str, line: str
) -> None:
    notebook(
        clone / "notebooks/phase1/1_1_why.ipynb", f"# Why\n\n**You will be able to** {sentence}\n\nMore."
    )
    assert lesson("1-1", clone).teaches == line


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
        "| 1-1 | **[Find out why](phase1/1_1_why.ipynb)**<br>Ask; answer | 10&nbsp;min |  |  |  |  |",
        r"| 1-2 | **[Run a `task` \| now](phase1/1_2_first.ipynb)** "
        "| 75&nbsp;min |  | 0&nbsp;of&nbsp;2 | 0&nbsp;of&nbsp;2 |  |",
        "",
        "### Phase 2: Canvas",
        "",
        "| No. | Lesson | Time | Yours | Exercises | Quiz | State |",
        "|---|---|---|---|---|---|---|",
        "| 2-1 | **[Canvas](phase2/2_1_canvas.ipynb)** |  |  |  |  |  |",
        "",
        "**Next:** [1-2 Run a `task` | now](phase1/1_2_first.ipynb), about 75 min",
    ]


def test_map_shows_progress_and_the_very_exercise_that_comes_next(clone: Path) -> None:
    record("exercise", "1-2a", right=True)
    record("exercise", "1-2b", right=False)
    shown = course_map(clone)
    assert "  1-2  Run a `task` | now  75 min         1 of 2     0 of 2  begun" in repr(shown)
    last = 'Next: exercise 1-2b in 1-2 Run a `task` | now, under "Again"; then 2 of the quiz'
    assert repr(shown).endswith(last)
    assert "[exercise 1-2b](phase1/1_2_first.ipynb#Again) in [1-2 Run a" in shown._repr_markdown_()


def test_map_sends_on_to_the_quiz_after_the_exercises(clone: Path) -> None:
    record("exercise", "1-2a", right=True)
    record("exercise", "1-2b", right=True)
    record("quiz", "1-2", right=False, part="what")
    assert repr(course_map(clone)).endswith('Next: the quiz in 1-2 Run a `task` | now, under "Again"')


def test_map_shows_the_learners_own_time(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in (0, 4, 9):
        monkeypatch.setattr(progress, "_now", lambda minute=minute: f"2026-03-01T10:{minute:02}:20+00:00")
        progress.sign("1-2")
    shown = repr(course_map(clone))
    assert "  1-2  Run a `task` | now  75 min  9 min  0 of 2     0 of 2  begun" in shown
    assert shown.endswith(
        "Next: go on with 1-2 Run a `task` | now (still open: exercise 1-2a, exercise 1-2b, 2 of the quiz)"
    )


def test_map_goes_on_where_the_learner_was_last(clone: Path, notebook: Callable[..., Path]) -> None:
    for name in ("1_3_more", "1_4_last"):
        notebook(clone / f"notebooks/phase1/{name}.ipynb", "# More")
        (clone / f"exercises/phase1/ex_{name[:3]}a.py").write_text("")
    record("exercise", "1-3a", right=True)
    assert course_map(clone).next.row.lesson.id == "1-4"
    record("exercise", "1-4a", right=True)
    assert course_map(clone).next.row.lesson.id == "1-2"


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
    assert "Next" not in shown


def test_map_of_an_empty_clone(tmp_path: Path) -> None:
    assert repr(course_map(tmp_path)).endswith("This copy of the course holds no lessons.")
