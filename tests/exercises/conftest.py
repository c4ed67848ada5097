"""What the engine's tests share."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exercises.definition import Definition, read
from exercises.handle import Exercise

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def sample() -> Exercise:
    return Exercise(read(SAMPLES / "phase9/ex_9_1a.py"))


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Definition]:
    """Read the sample exercise with parts of its source replaced."""
    source = (SAMPLES / "phase9/ex_9_1a.py").read_text()

    def edit(*changes: tuple[str, str], name: str = "phase9/ex_9_1a.py") -> Definition:
        changed = source
        for old, new in changes:
            assert old in changed
            changed = changed.replace(old, new)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(changed)
        return read(path)

    return edit


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of tagged code cells: pairs of source and tags."""

    def write(*cells: tuple[str, list[str]]) -> Path:
        path = tmp_path / "9_1_sample.ipynb"
        content = [
            {"cell_type": "code", "metadata": {"tags": tags}, "source": source.splitlines(keepends=True)}
            for source, tags in cells
        ]
        path.write_text(json.dumps({"cells": content, "metadata": {}}))
        return path

    return write
