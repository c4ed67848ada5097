"""A lesson given back: as published, progress forgotten, nothing lost."""

import shutil
import subprocess
from pathlib import Path

import pytest

from celerylab.course import lesson
from celerylab.progress import record, standings
from celerylab.reset import CannotReset, reset

NOTEBOOK = "notebooks/phase1/1_2_first.ipynb"


def write_beside(clone: Path, *names: str) -> None:
    for name in names:
        (clone / "notebooks/phase1" / name).write_text(f"learner's {name}")


def test_reset_gives_back_and_keeps_the_learners_version(published: Path, home: Path) -> None:
    before = (published / NOTEBOOK).read_bytes()
    (published / NOTEBOOK).write_text("the learner's own")
    write_beside(published, "tasks_1_2.py", "tasks_1_2b.py", "tasks_1_20.py", "tasks_1_1.py", "mine.py")
    (published / "notebooks/phase1/data_1_2").mkdir()
    (published / "notebooks/phase1/data_1_2/row").write_text("1")
    record("exercise", "1-2a", right=True)
    record("exercise", "1-1a", right=True)

    done = reset(lesson("1-2", published))

    assert (published / NOTEBOOK).read_bytes() == before
    assert done.backup is not None
    assert done.backup.parent == home / "backups"
    assert done.kept == ("1_2_first.ipynb", "data_1_2", "tasks_1_2.py", "tasks_1_2b.py")
    assert (done.backup / "1_2_first.ipynb").read_text() == "the learner's own"
    assert (done.backup / "tasks_1_2b.py").read_text() == "learner's tasks_1_2b.py"
    assert (done.backup / "data_1_2/row").read_text() == "1"
    left = {path.name for path in (published / "notebooks/phase1").iterdir()}
    assert left == {"1_1_why.ipynb", "1_2_first.ipynb", "img", "tasks_1_20.py", "tasks_1_1.py", "mine.py"}
    assert (done.forgotten, done.restored, done.problem) == (1, True, "")
    assert list(standings()) == ["1-1"]


def test_reset_of_an_untouched_lesson_changes_nothing(published: Path, home: Path) -> None:
    done = reset(lesson("1-2", published))
    assert (done.forgotten, done.backup, done.kept, done.restored) == (0, None, (), False)
    assert not home.exists()


def test_reset_leaves_files_that_git_has(published: Path) -> None:
    write_beside(published, "helper_1_2.py")
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-C", str(published)]
    subprocess.run([*git, "add", "-f", "notebooks/phase1/helper_1_2.py"], check=True)
    assert reset(lesson("1-2", published)).backup is None


def test_reset_twice_keeps_both_versions(published: Path, home: Path) -> None:
    for text in ("first", "second"):
        (published / NOTEBOOK).write_text(text)
        reset(lesson("1-2", published))
    kept = sorted(path.read_text() for path in home.glob("backups/*/1_2_first.ipynb"))
    assert kept == ["first", "second"]


def test_reset_without_git_clone_keeps_the_notebook_and_says_so(clone: Path) -> None:
    (clone / NOTEBOOK).write_text("the learner's own")
    write_beside(clone, "tasks_1_2.py")
    record("exercise", "1-2a", right=True)
    done = reset(lesson("1-2", clone))
    assert (clone / NOTEBOOK).read_text() == "the learner's own"
    assert "not a git repository" in done.problem
    assert (done.kept, done.forgotten) == (("tasks_1_2.py",), 1)


def test_reset_without_git_command_says_so(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert reset(lesson("1-2", clone)).problem == "there is no git command"


def test_reset_of_a_notebook_that_was_never_published(published: Path) -> None:
    shutil.copy(published / NOTEBOOK, published / "notebooks/phase1/1_3_new.ipynb")
    assert "1_3_new.ipynb" in reset(lesson("1-3", published)).problem


def test_reset_without_room_for_a_backup_touches_nothing(published: Path, home: Path) -> None:
    record("exercise", "1-2a", right=True)
    (home / "backups").write_text("in the way")
    (published / NOTEBOOK).write_text("the learner's own")
    write_beside(published, "tasks_1_2.py")
    with pytest.raises(CannotReset, match=r"Lesson 1-2 stays as it is.*backups writable"):
        reset(lesson("1-2", published))
    assert (published / NOTEBOOK).read_text() == "the learner's own"
    assert (published / "notebooks/phase1/tasks_1_2.py").exists()
    assert list(standings()) == ["1-2"]
