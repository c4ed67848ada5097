"""What all tests share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory for each test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CELERYLAB_HOME", str(folder))
    return folder
