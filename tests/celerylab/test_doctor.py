"""The doctor: each check says yes to this installation, and no to a broken one."""

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from celerylab import doctor, installed
from celerylab.environment import OVERRIDING
from celerylab.finding import Finding, Level, note, ok, wrong


def test_finding_reads_as_a_line_and_its_mending() -> None:
    assert str(ok("all is well")) == "ok     all is well"
    assert str(note("odd", "look at it")) == "note   odd\n       → look at it"
    assert str(wrong("bad", "mend it")) == "wrong  bad\n       → mend it"


def test_whole_report_of_this_installation(home: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in OVERRIDING}
    command = [sys.executable, "-m", "celerylab.cli", "doctor"]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    lines = [line for line in shown.stdout.splitlines() if not line.startswith(" ")]
    assert len(lines) == len(doctor.CHECKS) + 1
    assert lines[-2] == "ok     first task: 2 + 3 came back as 5 from the bundled worker"
    assert lines[-1] == "Everything the course needs works."
    assert shown.stderr == ""


def test_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd_check() -> Finding:
        raise RuntimeError("surprise")

    monkeypatch.setattr(doctor, "CHECKS", (odd_check, doctor.loopback))
    first, second = doctor.examine()
    assert (first.level, first.text) == (Level.WRONG, "odd check: RuntimeError: surprise")
    assert second.level is Level.OK


def test_python_too_old_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "OLDEST_PYTHON", (99, 0))
    found = installed.python()
    assert found.level is Level.WRONG
    assert "Install Python 99.0 or newer" in found.mend


def test_package_of_another_version_is_a_note(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "celery==0.1 \\\n    --hash=sha256:00\nkombu==0.2 ; sys_platform == 'nowhere' \\\nabsent==1.0 \\\n"
    )
    found = installed.packages(lock)
    assert found.level is Level.NOTE
    assert "celery 5." in found.text
    assert "(tested: 0.1)" in found.text
    assert "kombu" not in found.text
    assert "absent" not in found.text


def test_package_missing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["absent>=1", "tests-only; extra == 'test'"])
    found = installed.packages()
    assert found.level is Level.WRONG
    assert found.text == "packages: absent not installed"


def test_packages_without_lock_are_a_note(tmp_path: Path) -> None:
    assert installed.packages(tmp_path / "none.lock").level is Level.NOTE


def test_kernel_of_another_python_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kernels/python3"
    folder.mkdir(parents=True)
    spec = {
        "argv": ["/usr/bin/other-python", "-m", "ipykernel_launcher"],
        "display_name": "x",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = installed.kernel()
    assert found.level is Level.WRONG
    assert "starts /usr/bin/other-python" in found.text


def test_widgets_missing_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "jupyter_path", lambda: [str(tmp_path)])
    assert installed.widgets().level is Level.WRONG


@pytest.mark.parametrize("name", OVERRIDING)
@pytest.mark.parametrize(("attached", "level"), [("", Level.NOTE), ("redis://127.0.0.1:1/0", Level.WRONG)])
def test_variable_that_wins_over_the_apps_is_found(
    name: str, attached: str, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_BROKER_URL", attached)
    monkeypatch.setenv(name, "redis://:secret@elsewhere")
    found = doctor.environment()
    assert found.level is level
    assert f"unset {name}" in found.mend
    assert "secret" not in str(found)


def test_home_that_cannot_be_written_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CELERYLAB_HOME", str(tmp_path / "file/below"))
    found = doctor.home()
    assert found.level is Level.WRONG
    assert "CELERYLAB_HOME" in found.mend


def test_home_with_unreadable_progress_is_wrong(home: Path) -> None:
    (home / "progress.sqlite3").mkdir(parents=True)
    assert doctor.home().level is Level.WRONG


@pytest.mark.parametrize(("megabytes", "level"), [(10_000, Level.OK), (100, Level.NOTE), (5, Level.WRONG)])
def test_disk_by_what_is_free(megabytes: int, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=megabytes * 2**20))
    assert doctor.disk().level is level


def test_loopback_refused_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "create_server", refuse)
    found = doctor.loopback()
    assert found.level is Level.WRONG
    assert "Operation not permitted" in found.text


def test_semaphores_refused_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(multiprocessing, "get_context", refuse)
    assert doctor.semaphores().level is Level.WRONG


def test_broker_of_the_settings_that_is_silent_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("CELERYLAB_BROKER_URL", f"redis://:secret@127.0.0.1:{port}/0")
    found = doctor.broker()
    assert found.level is Level.WRONG
    assert "secret" not in str(found)


def test_broker_without_server_for_this_platform_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "mips")
    found = doctor.broker()
    assert found.level is Level.WRONG
    assert "Use Docker" in found.mend


def test_first_task_without_broker_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "mips")
    found = doctor.first_task()
    assert found.level is Level.WRONG
    assert "BrokerDown" in found.text
