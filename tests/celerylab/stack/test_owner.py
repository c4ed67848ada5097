"""Nothing that a notebook starts outlives it."""

import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from celerylab.stack.owner import Owner
from tests.processes import marked, within

GONE_WITHIN = 5.0  # s, promised


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A text by which every process that the test starts is found again."""
    value = uuid.uuid4().hex
    (tmp_path / value).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / value))
    yield value
    for process in marked(value):
        process.kill()


@pytest.fixture
def kernel(mark: str, tmp_path: Path) -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    yield manager
    manager.shutdown_kernel(now=True)


def run_cell(kernel: KernelManager, code: str) -> None:
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()


LESSON = """
from pathlib import Path
from celerylab import lab
lab.start()
Path("tasks_x.py").write_text("from celery import Celery\\nimport os\\n"
    "app = Celery('tasks_x', broker=os.environ['CELERYLAB_BROKER_URL'])\\n")
worker = lab.worker("tasks_x")
extra = lab.broker()
"""


def test_everything_a_lesson_started_is_gone_after_its_kernel_is_killed(
    kernel: KernelManager, mark: str, tmp_path: Path
) -> None:
    run_cell(kernel, LESSON)
    started = [process for process in marked(mark) if process.pid != kernel.provisioner.process.pid]
    # reaper, two brokers, two workers of a main and two pool processes each
    assert len(started) == 9
    os.kill(kernel.provisioner.process.pid, signal.SIGKILL)
    assert within(GONE_WITHIN, lambda: not marked(mark))


def test_everything_is_gone_after_a_kernel_is_shut_down_as_jupyter_does(
    kernel: KernelManager, mark: str
) -> None:
    run_cell(kernel, "from celerylab import lab\nlab.start()")
    assert len(marked(mark)) >= 5
    kernel.shutdown_kernel(now=False)
    assert within(GONE_WITHIN, lambda: not marked(mark))


def test_everything_is_gone_when_killed_at_any_moment_of_the_start(mark: str) -> None:
    for delay in (0.05, 0.15, 0.3, 0.5, 0.8, 1.2):
        script = subprocess.Popen([sys.executable, "-c", "from celerylab import lab; lab.start()"])
        try:
            script.wait(delay)
        except subprocess.TimeoutExpired:
            script.kill()
            script.wait()
        assert within(GONE_WITHIN, lambda: not marked(mark)), f"killed after {delay} s"


def test_everything_is_gone_once_a_script_has_ended_by_itself(mark: str, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "dev", "-c", "from celerylab.stack.owner import owner; owner()"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (ended.stderr, marked(mark)) == ("", [])
    subprocess.run([sys.executable, "-c", LESSON], cwd=tmp_path, check=True, capture_output=True)
    # SIGKILL was sent to all, and each ends when it is given a moment
    assert within(GONE_WITHIN, lambda: not marked(mark))


def test_files_are_removed_when_the_owner_is_gone(mark: str) -> None:
    code = "from celerylab.stack.owner import owner; print(owner().folder)"
    folder = Path(subprocess.check_output([sys.executable, "-c", code], text=True).strip())
    assert within(GONE_WITHIN, lambda: not folder.exists())


def test_a_forked_child_that_lives_on_does_not_keep_processes_alive(mark: str, tmp_path: Path) -> None:
    code = """
        import os, signal, time
        from celerylab.stack.owner import owner
        made = owner()
        made.spawn(["sleep", "600"], log=made.folder / "log", env=os.environ, cwd=made.folder)
        if os.fork() == 0:
            os.close(1)
            time.sleep(60)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert within(GONE_WITHIN, lambda: not [p for p in marked(mark) if p.info["name"] == "sleep"])


def test_a_program_gets_its_arguments_its_input_and_its_log(tmp_path: Path) -> None:
    owner = Owner()
    log = tmp_path / "log"
    child = owner.spawn(
        ["sh", "-c", 'cat; echo "$1|$2"', "sh", "two words", "$HOME"],
        log=log,
        env=os.environ,
        cwd=tmp_path,
        config=b"line one\nline two\n",
    )
    assert child.wait(10) == 0
    assert log.read_text() == "line one\nline two\ntwo words|$HOME\n"
    owner.forget(child.pid)
    owner.close()


def test_a_forgotten_group_is_left_alone(tmp_path: Path) -> None:
    owner = Owner()
    kept = owner.spawn(["sleep", "60"], log=tmp_path / "log", env=os.environ, cwd=tmp_path)
    other = owner.spawn(["sleep", "60"], log=tmp_path / "log", env=os.environ, cwd=tmp_path)
    owner.forget(kept.pid)
    owner.close()
    assert other.wait(GONE_WITHIN) == -signal.SIGKILL
    assert kept.poll() is None
    kept.kill()
    kept.wait()
