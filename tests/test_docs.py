"""README, CONTRIBUTING and the help name what there is."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

import celerylab.settings
import labtasks.settings
from celerylab import course
from celerylab.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
INSTRUCTORS = (ROOT / "INSTRUCTORS.md").read_text()
PLAN = re.compile(r"\| start \| minutes \| what \|\n\|---\|---\|---\|\n((?:\|.*\n)+)")
PLANS = [[line.strip("| ").split(" | ") for line in plan.splitlines()] for plan in PLAN.findall(INSTRUCTORS)]


@pytest.mark.parametrize("module", [celerylab.settings, labtasks.settings])
def test_every_setting_is_in_the_table(module: object) -> None:
    for name in module.Settings.__struct_fields__:
        assert f"`{module.PREFIX}{name.upper()}`" in README, name


def test_every_command_is_documented() -> None:
    for name in get_command(app).commands:
        if name != "lab":  # learners start it with make
            assert f"celerylab {name}" in README, name


def test_every_make_target_says_what_it_does() -> None:
    shown = subprocess.check_output(["make", "help"], cwd=ROOT, text=True)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    internal = {"install", "install-test"}
    assert set(re.findall(r"make ([a-z-]+) ", shown)) == set(targets) - internal


def test_every_lesson_is_linked() -> None:
    for lesson in course.lessons():
        assert f"({lesson.notebook.relative_to(ROOT)})" in README, lesson.id


@pytest.mark.parametrize(
    "text", [README, CONTRIBUTING, INSTRUCTORS], ids=["README", "CONTRIBUTING", "INSTRUCTORS"]
)
def test_links_lead_to_files_that_are_there(text: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("plan", PLANS, ids=["half a day", "a day", "first of two", "second of two"])
def test_plan_adds_up_with_the_minutes_that_its_lessons_state(plan: list[list[str]]) -> None:
    minutes = {lesson.notebook.name: lesson.minutes for lesson in course.lessons()}
    now = 0
    for start, length, what in plan:
        assert start == f"{now // 60}:{now % 60:02}", what
        now += int(length)
        for name in re.findall(r"^\[\d-\d\]\(\S+/(\S+)\)", what):
            assert int(length) == minutes[name], what
    assert now in (4 * 60, 8 * 60)
