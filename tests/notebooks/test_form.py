"""The form of every lesson: what nbval cannot see."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from celerylab import course
from tests.notebooks import durations
from tests.notebooks.refresh import METADATA, NOTEBOOKS

ALL = sorted(path for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
COURSE = course.lessons()
LESSONS = [lesson.notebook for lesson in COURSE]
OPENING = re.compile(
    r"# (?P<title>[^\n]+)\n\n\*\*You will be able to\*\* .+\n\n\*\*You need\*\* .+\n\n"
    r"\*\*Time:\*\* about \d+ minutes\.$",
    re.DOTALL,
)
WORDS = range(900, 1701)
CODE_CELLS = range(15, 26)  # besides those of the exercises
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#]+)")
CLOSING = re.compile(
    r"\*\*Next:\*\* \[(?P<next>[^\]]+)\]\((?P<next_path>[^)]+)\)[^\n]*\n\n"
    r"(\*\*Before:\*\* \[(?P<before>[^\]]+)\]\((?P<before_path>[^)]+)\)\. )?"
    r"\*\*All lessons:\*\* \[start_here\]\(\.\./start_here\.ipynb\)\.\n\n"
    r"\*\*To read more:\*\* [^\n]+"
)
START_HERE = NOTEBOOKS / "start_here.ipynb"

every_notebook = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@cache
def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    notebook = json.loads(path.read_text())
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


@every_notebook
def test_notebook_is_normalised(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert notebook["metadata"] == METADATA, "run `make notebooks`"
    numbers = [cell["execution_count"] for cell in cells(path, "code")]
    assert numbers == list(range(1, len(numbers) + 1)), "run `make notebooks`"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)


@every_notebook
def test_notebook_uses_no_command_or_magic_that_fails_unseen(path: Path) -> None:
    for cell in cells(path, "code"):
        for number, line in enumerate(source(cell).splitlines(), start=1):
            allowed = number == 1 and line.startswith("%%writefile ")
            assert allowed or not re.match(r"\s*[!%]", line), f"nbval cannot see this fail: {line}"


@every_notebook
def test_errors_are_shown_only_where_they_are_meant(path: Path) -> None:
    for cell in cells(path, "code"):
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert bool(errors) == ("raises-exception" in tags(cell)), source(cell)


@every_notebook
def test_ignored_outputs_are_the_exception(path: Path) -> None:
    shown = [cell for cell in cells(path, "code") if cell["outputs"]]
    ignored = [cell for cell in shown if "nbval-ignore-output" in tags(cell)]
    assert len(ignored) * 8 <= len(shown)
    assert not [cell for cell in cells(path, "code") if "nbval-skip" in tags(cell)]


@every_notebook
def test_outputs_hold_no_place_of_the_machine_they_were_made_on(path: Path) -> None:
    outputs = json.dumps([cell["outputs"] for cell in cells(path, "code")])
    found = re.findall(r"(?:/home|/root|/Users|/tmp|site-packages|ipykernel_)[^\s\"]*", outputs)
    assert not found


@every_notebook
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    for cell in cells(path, "markdown"):
        for target in LINK.findall(source(cell)):
            assert (path.parent / target).exists(), target


@every_lesson
def test_lesson_opens_with_what_it_gives_needs_and_takes(path: Path) -> None:
    first, *_ = cells(path, "markdown")
    assert OPENING.match(source(first)), source(first)
    assert source(cells(path, "code")[0]).startswith("from celerylab import lab\n\nlab.start(")


@every_lesson
def test_lesson_has_the_length_that_a_sitting_bears(path: Path) -> None:
    words = sum(len(source(cell).split()) for cell in cells(path, "markdown"))
    assert words in WORDS
    steps = [cell for cell in cells(path, "code") if not any("exercise:" in tag for tag in tags(cell))]
    assert len(steps) in CODE_CELLS


@every_lesson
def test_lesson_has_drawing_exercises_quiz_and_a_next_step(path: Path) -> None:
    lesson = COURSE[LESSONS.index(path)]
    prose = "\n".join(source(cell) for cell in cells(path, "markdown"))
    code = [source(cell) for cell in cells(path, "code")]
    assert lesson.drawings
    assert re.search(rf"!\[[^\]]{{20,}}\]\(img/{path.stem}\w*\.svg\)", prose), "a drawing with alt text"
    assert 2 <= len(lesson.exercises) <= 4
    for exercise in lesson.exercises:
        assert any(f'exercise("{exercise}")' in cell for cell in code)
    assert lesson.quiz
    assert any(f'quiz("{lesson.id}")' in cell for cell in code)


@every_lesson
def test_lesson_leads_on_and_back_in_the_order_of_the_course(path: Path) -> None:
    closing = CLOSING.fullmatch(source(json.loads(path.read_text())["cells"][-1]))
    assert closing, source(cells(path, "markdown")[-1])
    at = LESSONS.index(path)
    if at + 1 < len(COURSE):
        assert closing["next"] == f"{COURSE[at + 1].id} {COURSE[at + 1].title}"
        assert (path.parent / closing["next_path"]).resolve() == LESSONS[at + 1]
    else:
        assert (path.parent / closing["next_path"]).resolve() == START_HERE
    if at:
        assert closing["before"] == f"{COURSE[at - 1].id} {COURSE[at - 1].title}"
        assert (path.parent / closing["before_path"]).resolve() == LESSONS[at - 1]
    else:
        assert closing["before"] is None


@every_lesson
def test_lesson_says_which_earlier_lessons_it_builds_on(path: Path) -> None:
    needs = source(cells(path, "markdown")[0]).partition("**You need**")[2].partition("**Time:**")[0]
    at = LESSONS.index(path)
    found = [(path.parent / target).resolve() for target in LINK.findall(needs)]
    assert bool(found) == bool(at)
    assert set(found) <= set(LESSONS[:at])


@every_lesson
def test_lesson_states_the_time_that_is_counted(path: Path) -> None:
    lesson = COURSE[LESSONS.index(path)]
    counted = durations.count(lesson)
    assert lesson.minutes == counted.minutes, f"write about {counted.minutes} minutes: {counted}"


@every_lesson
def test_drawings_say_what_they_show(path: Path) -> None:
    lesson = COURSE[LESSONS.index(path)]
    for drawing in lesson.drawings:
        text = drawing.read_text()
        assert "<title" in text
        assert "<desc" in text
        assert "viewBox" in text
