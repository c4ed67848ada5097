"""The folder for a room without internet: what goes in, and that it installs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from celerylab import course

NOWHERE = "http://127.0.0.1:1/"
UNREACHABLE = {"PIP_INDEX_URL": NOWHERE, "UV_DEFAULT_INDEX": NOWHERE, "PIP_CONFIG_FILE": os.devnull}


def command(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "celerylab.cli", "doctor", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def without_index(cache: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "VIRTUAL"))
    }
    return kept | UNREACHABLE | {"UV_CACHE_DIR": str(cache)}


@pytest.mark.skipif(not (course.ROOT / ".git").exists(), reason="there is no repository to copy")
@pytest.mark.timeout(900)  # it downloads all packages anew
def test_folder_installs_where_no_index_can_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    made = command("--offline-bundle", folder)
    assert made.returncode == 0, made.stderr
    # what git does not have yet comes along, so that this tests the files as they are
    for name in ("install.py", "requirements.lock", "pyproject.toml"):
        shutil.copy(course.ROOT / name, folder)
    installed = subprocess.run(
        [sys.executable, "install.py"],
        cwd=folder,
        env=without_index(tmp_path / "cache"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    assert "from wheels" in installed.stdout
    again = subprocess.run(
        [folder / ".venv/bin/python", "-c", "import celerylab, sys; print(celerylab.__file__, sys.prefix)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.split() == [str(folder / "celerylab/__init__.py"), str(folder / ".venv")]


def test_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = command("--offline-bundle", tmp_path)
    assert refused.returncode == 1
    assert f"{tmp_path} holds something else" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_package_that_cannot_be_downloaded_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    (folder / "wheels").mkdir(parents=True)
    (folder / "install.py").touch()
    earlier = folder / "wheels" / "some-1-py3-none-any.whl"
    earlier.touch()
    failed = command("--offline-bundle", folder, env=without_index(tmp_path / "cache"))
    assert failed.returncode == 1
    assert "run the command again to go on" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert earlier.exists()


def test_options_of_the_folder_are_refused_without_it() -> None:
    refused = command("--platform", "macos-arm64")
    assert refused.returncode == 1
    assert "--offline-bundle" in refused.stderr
