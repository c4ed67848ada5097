"""The ``celerylab`` command, as it is typed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from celerylab import doctor
from celerylab.cli import app
from celerylab.course import ROOT
from celerylab.finding import Finding, note, ok, wrong
from celerylab.progress import record, standings


@pytest.fixture
def course(published: Path) -> Path:
    """The small clone with the toolbox in it, so that the command finds that course."""
    shutil.copytree(ROOT / "celerylab", published / "celerylab", ignore=shutil.ignore_patterns("__pycache__"))
    return published


def celerylab(
    course: Path, *arguments: str, typed: str = "", env: Mapping[str, str] = MappingProxyType({})
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "celerylab.cli", *arguments]
    # a JupyterLab that runs on this machine is not this course's
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(course / "none"), **env}
    return subprocess.run(
        command, cwd=course, input=typed, capture_output=True, text=True, timeout=60, check=False, env=env
    )


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in ("lab", "doctor", "progress", "next", "reset"):
        assert f"  {name} " in shown.output


@pytest.mark.parametrize("name", ["lab", "doctor", "progress", "next", "reset"])
def test_help_of_every_command_says_what_it_does(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 4


def test_script_is_installed() -> None:
    script = Path(sys.executable).with_name("celerylab")
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "doctor" in shown.stdout


@pytest.mark.parametrize("port", ["0", "70000", "many"])
def test_lab_with_a_bad_port_is_a_usage_error(port: str) -> None:
    shown = CliRunner().invoke(app, ["lab", "--port", port])
    assert shown.exit_code == 2
    assert "--port" in shown.stderr


def test_progress_shows_a_table(course: Path) -> None:
    record("exercise", "1-2a", right=True)
    shown = celerylab(course, "progress")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "  1-2  Run a `task` | now  75 min         1 of 2     0 of 2  begun" in shown.stdout


def test_progress_as_json_is_what_an_instructor_gathers(course: Path) -> None:
    record("exercise", "1-2a", right=True)
    shown = celerylab(course, "progress", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    _, second, _ = json.loads(shown.stdout)
    assert second.pop("begun_at") == second.pop("last_at")
    assert second == {
        "lesson": "1-2",
        "title": "Run a `task` | now",
        "minutes": 75,
        "spent_minutes": 0.0,
        "exercises": {"all": 2, "open": ["1-2b"]},
        "questions": {"all": 2, "open": ["what", "why"]},
        "done": False,
    }


def test_next_begins_with_the_first_lesson(course: Path) -> None:
    shown = celerylab(course, "next")
    assert (shown.returncode, shown.stderr) == (0, "")
    first, file, address = shown.stdout.splitlines()
    assert first == "Next: 1-2 Run a `task` | now, about 75 min"
    assert file == f"  file     {course}/notebooks/phase1/1_2_first.ipynb"
    assert "make lab" in address


def test_next_names_the_exercise_and_where_a_running_lab_has_it(course: Path, tmp_path: Path) -> None:
    record("exercise", "1-2a", right=True)
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name, server in {
        "0": "being written",
        "1": json.dumps({"pid": os.getpid(), "root_dir": "/elsewhere", "url": "http://no/", "token": "t"}),
        "2": json.dumps({"pid": 2**22 + 1, "root_dir": str(course), "url": "http://gone/", "token": "t"}),
        "3": json.dumps({"pid": os.getpid(), "root_dir": str(course), "url": "http://here/", "token": "t"}),
    }.items():
        (runtime / f"jpserver-{name}.json").write_text(server)
    shown = celerylab(course, "next", env={"JUPYTER_RUNTIME_DIR": str(runtime)})
    first, _, address = shown.stdout.splitlines()
    assert first == 'Next: exercise 1-2b in 1-2 Run a `task` | now, under "Again"; then 2 of the quiz'
    assert address == "  address  http://here/lab/tree/notebooks/phase1/1_2_first.ipynb?token=t"


def test_next_when_all_is_done_says_so(course: Path) -> None:
    for item in ("1-2a", "1-2b"):
        record("exercise", item, right=True)
    for part in ("what", "why"):
        record("quiz", "1-2", right=True, part=part)
    assert celerylab(course, "next").stdout.endswith("The course is done.\n")


@pytest.mark.parametrize("command", [["next"], ["progress", "--json"]])
def test_unreadable_progress_is_one_line_and_status_1(course: Path, home: Path, command: list[str]) -> None:
    (home / "progress.sqlite3").mkdir(parents=True)
    shown = celerylab(course, *command)
    assert (shown.returncode, shown.stdout) == (1, "")
    (line,) = shown.stderr.splitlines()
    assert "cannot be read" in line


def test_reset_of_an_unknown_lesson_is_one_line(course: Path) -> None:
    shown = celerylab(course, "reset", "7-7")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == "celerylab: There is no lesson '7-7'. These exist: 1-1, 1-2, 2-1.\n"


def test_reset_asks_and_takes_no_for_an_answer(course: Path) -> None:
    record("exercise", "1-2a", right=True)
    shown = celerylab(course, "reset", "1-2", typed="n\n")
    assert shown.returncode == 1
    assert "Forget your progress in lesson 1-2" in shown.stdout
    assert shown.stdout.endswith("Nothing was changed.\n")
    assert "1-2" in standings()


def test_reset_with_nobody_to_ask_changes_nothing(course: Path) -> None:
    record("exercise", "1-2a", right=True)
    shown = celerylab(course, "reset", "1-2")
    assert shown.returncode == 1
    assert "Traceback" not in shown.stderr
    assert "1-2" in standings()


@pytest.mark.parametrize(("arguments", "typed"), [(["--yes"], ""), ([], "y\n")])
def test_reset_says_where_the_copies_are(course: Path, home: Path, arguments: list[str], typed: str) -> None:
    record("exercise", "1-2a", right=True)
    (course / "notebooks/phase1/1_2_first.ipynb").write_text("mine")
    shown = celerylab(course, "reset", "1-2", *arguments, typed=typed)
    assert (shown.returncode, shown.stderr) == (0, "")
    (backup,) = (home / "backups").iterdir()
    assert shown.stdout.split("]: ")[-1].splitlines() == [
        "Forgotten: 1 exercises and quiz questions of lesson 1-2.",
        f"Your own version is in {backup}: 1_2_first.ipynb.",
        "Given back as published: 1_2_first.ipynb. If it is open in JupyterLab, close it and open it again.",
    ]


def test_reset_of_an_untouched_lesson_says_so(course: Path) -> None:
    shown = celerylab(course, "reset", "1-2", "--yes")
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[-1] == "As published already: 1_2_first.ipynb."


def test_reset_without_git_ends_with_1_and_one_line(course: Path) -> None:
    shutil.rmtree(course / ".git")
    shown = celerylab(course, "reset", "1-2", "--yes")
    assert shown.returncode == 1
    (line,) = shown.stderr.splitlines()
    assert line.startswith("celerylab: 1_2_first.ipynb stays as it is, because git cannot say")


@pytest.mark.parametrize(
    ("findings", "status", "last"),
    [
        ([ok("this"), note("that", "look")], 0, "Everything the course needs works."),
        ([wrong("this", "mend it"), ok("that")], 1, "1 wrong. The line below each says how to mend it."),
    ],
)
def test_doctor_ends_with_1_if_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding], status: int, last: str
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: iter(findings))
    shown = CliRunner().invoke(app, ["doctor"])
    assert shown.exit_code == status
    assert shown.output.splitlines()[-1] == last
    assert len(shown.output.splitlines()) == len(findings) + 2
