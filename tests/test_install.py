"""install.py: what it refuses, and what the lock must hold for it."""

import re
import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

sys.path.insert(0, str(ROOT))
import install  # noqa: E402  # not a package: it runs before there is one

Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]):
    """Return the one line that a check writes before it gives up."""

    def run(check) -> str:
        with pytest.raises(SystemExit) as ended:
            check()
        assert ended.value.code == 1
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    return run


@pytest.mark.parametrize(
    ("system", "machine", "libc", "named"),
    [
        ("win32", "AMD64", ("", ""), "on amd64"),
        ("linux", "x86_64", ("", ""), "Alpine has musl"),
        ("linux", "x86_64", ("glibc", "2.17"), "glibc 2.28 or newer"),
        ("linux", "riscv64", ("glibc", "2.39"), "on riscv64"),
    ],
)
def test_platform_without_broker_is_refused_with_the_docker_way(
    monkeypatch: pytest.MonkeyPatch, refusal, system: str, machine: str, libc: tuple[str, str], named: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(install.platform, "machine", lambda: machine)
    monkeypatch.setattr(install.platform, "libc_ver", lambda: libc)
    line = refusal(install.check_platform)
    assert named in line
    assert "docker run" in line


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        ("darwin", "arm64", ("", "")),
        ("darwin", "x86_64", ("", "")),
        ("linux", "aarch64", ("glibc", "2.28")),
        ("linux", "x86_64", ("glibc", "2.41")),
    ],
)
def test_platform_with_broker_is_taken(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: tuple[str, str]
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(install.platform, "machine", lambda: machine)
    monkeypatch.setattr(install.platform, "libc_ver", lambda: libc)
    install.check_platform()


def test_old_python_alone_is_refused_with_its_version(
    monkeypatch: pytest.MonkeyPatch, refusal, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, 9, 6, "final", 0))
    monkeypatch.setattr(install.platform, "python_version", lambda: "3.9.6")
    monkeypatch.setenv("PATH", str(tmp_path))
    line = refusal(install.check_python)
    assert "Python 3.9.6 is too old" in line
    assert "make lab PYTHON=" in line


def test_old_python_hands_over_to_a_newer_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken, newer = tmp_path / "a/python3.13", tmp_path / "b/python3.12"
    for path, source in ((broken, "exit 127"), (newer, "exit 0")):
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o755)
    monkeypatch.setattr(sys, "version_info", Version(3, 9, 6, "final", 0))
    monkeypatch.setattr(sys, "argv", ["install.py", "test"])
    monkeypatch.setenv("PATH", f"{broken.parent}:{newer.parent}")
    handed = []
    monkeypatch.setattr(install.os, "execv", lambda *arguments: handed.append(arguments) or sys.exit(0))
    with pytest.raises(SystemExit):
        install.check_python()
    assert handed == [(str(newer), [str(newer), "install.py", "test"])]


def test_second_run_installs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "install.py"), "test"], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


def test_lock_pins_every_dependency_with_hashes() -> None:
    extras = [each for group in PROJECT["optional-dependencies"].values() for each in group]
    for requirement in [*PROJECT["dependencies"], *extras]:
        name = re.match(r"[\w-]+", requirement)[0].lower()
        block = re.search(rf"^{re.escape(name)}==.*\n(?:    --hash=sha256:[0-9a-f]{{64}}.*\n)+", LOCK, re.M)
        assert block, f"{name} is not in requirements.lock: run `make lock`"


def test_lock_holds_no_address() -> None:
    assert "://" not in LOCK


def test_pin_of_a_package_is_read_with_its_hashes() -> None:
    lines = install.pinned("uv").splitlines()
    assert lines[0].startswith("uv==")
    assert all("--hash=sha256:" in line for line in lines[1:])
    assert len(lines) > 2


def test_package_that_the_lock_lacks_is_named(refusal) -> None:
    assert "does not pin absent" in refusal(lambda: install.pinned("absent"))
