"""The ``celerylab`` command, as it is typed."""

import shutil
import subprocess
import sys
from pathlib import Path

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


def celerylab(course: Path, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "celerylab.cli", *arguments]
    return subprocess.run(
        command, cwd=course, input=typed, capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in ("lab", "doctor", "progress", "reset"):
        assert f"  {name} " in shown.output


@pytest.mark.parametrize("name", ["lab", "doctor", "progress", "reset"])
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
    assert "  1-2  Run a `task` | now  20 min  1 of 2     0 of 2  begun" in shown.stdout


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
