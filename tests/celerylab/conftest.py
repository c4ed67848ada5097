"""What the toolbox's tests share: a data directory of their own, and a small clone."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab.course import ROOT


@pytest.fixture
def notebook() -> Callable[..., Path]:
    """Write a notebook of Markdown cells; see `write_notebook`."""
    return write_notebook


def write_notebook(path: Path, *prose: str, minutes: int | None = None) -> Path:
    """Write a notebook of Markdown cells, and of code cells where a text begins with CODE:."""
    metadata = {"celerylab": {"minutes": minutes}} if minutes else {}
    cells = [
        {
            "cell_type": "code" if text.startswith("CODE:") else "markdown",
            "metadata": {},
            "source": text.removeprefix("CODE:").splitlines(True),
        }
        for text in prose
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": metadata}))
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A course of three lessons; 1-2 has two exercises and a quiz of two questions."""
    root = tmp_path / "clone"
    why = "# Find out why\n\n**You will be able to** ask; answer.\n\nTime: about 10 minutes."
    write_notebook(root / "notebooks/phase1/1_1_why.ipynb", why)
    steps = [
        "## Your turn: run it",
        'CODE:exercise("1-2a")',
        "## Again",
        'CODE:exercise("1-2b")',
        'CODE:quiz("1-2")',
    ]
    write_notebook(root / "notebooks/phase1/1_2_first.ipynb", "# 1-2 Run a `task` | now", *steps, minutes=75)
    write_notebook(root / "notebooks/phase2/2_1_canvas.ipynb", "No heading here.")
    write_notebook(root / "notebooks/start_here.ipynb", "# Start here")
    for letter in "ab":
        module = root / f"exercises/phase1/ex_1_2{letter}.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("")
    quiz = root / "quizzes/bank/phase1/1_2.yaml"
    quiz.parent.mkdir(parents=True)
    quiz.write_text("questions:\n  - id: what\n  - id: why\n")
    drawing = root / "notebooks/phase1/img/1_2_path.svg"
    drawing.parent.mkdir()
    drawing.write_text("<svg/>")
    return root


@pytest.fixture
def published(clone: Path) -> Path:
    """The small clone as a git repository, its lessons committed, with the packages in it."""
    shutil.copy(ROOT / ".gitignore", clone)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "Publish"]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    return clone
