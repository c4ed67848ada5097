"""In a lesson's own kernel, and nowhere else, the cells that are run count as time spent."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from celerylab.progress import standings

Kernel = Callable[[str | None], BlockingKernelClient]
BEGIN = "from celerylab import timekeeping; timekeeping.begin()"
OFTEN = "timekeeping.LEAST_SECONDS = 0"


@pytest.fixture
def kernel(tmp_path: Path, home: Path) -> Iterator[Kernel]:
    """Start a kernel as Jupyter's server does for a notebook, or without a name."""
    stops = []

    def start(notebook: str | None) -> BlockingKernelClient:
        env = {**os.environ, "CELERYLAB_HOME": str(home)}
        env.pop("JPY_SESSION_NAME", None)
        if notebook:
            env["JPY_SESSION_NAME"] = str(tmp_path / notebook)
        manager, client = start_new_kernel(env=env)
        stops.extend([client.stop_channels, lambda: manager.shutdown_kernel(now=True)])
        return client

    yield start
    for stop in stops:
        stop()  # type: ignore[no-untyped-call]


def run(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline


def test_cells_of_a_lesson_count_as_time_and_begin_it(kernel: Kernel) -> None:
    client = kernel("1_2_first_task-Copy1.ipynb")
    run(client, BEGIN)
    until(lambda: "1-2" in standings())
    assert standings()["1-2"].begun_at
    # one sign is enough for some seconds, and starting again adds none
    run(client, f"before = timekeeping._last; {BEGIN}")
    run(client, "assert timekeeping._last == before")
    run(client, "assert get_ipython().events.callbacks['post_run_cell'].count(timekeeping._after_cell) == 1")
    run(client, OFTEN)

    def later() -> bool:
        run(client, "1 + 1")
        return standings()["1-2"].seconds > 0

    until(later)


def test_nothing_is_noted_where_no_lesson_is_known(kernel: Kernel, home: Path) -> None:
    client = kernel(None)
    run(client, "import os, threading")
    for name in ("", "notes.ipynb", "start_here.ipynb"):
        run(client, f"os.environ['JPY_SESSION_NAME'] = {name!r}; {BEGIN}")
    run(client, "assert not [each for each in threading.enumerate() if each.name == 'celerylab-progress']")
    assert not home.exists()
    run(client, f"del os.environ['JPY_SESSION_NAME']; __vsc_ipynb_file__ = '/x/2_1_calling.ipynb'; {BEGIN}")
    until(lambda: "2-1" in standings())


def test_unwritable_progress_breaks_no_cell(kernel: Kernel, home: Path) -> None:
    home.write_text("")
    client = kernel("1_2_first_task.ipynb")
    said: list[dict[str, Any]] = []
    code = f"{BEGIN}; {OFTEN}; timekeeping.begin()"
    for each in (code, "1 + 1"):
        client.execute_interactive(each, timeout=60, output_hook=said.append)
    assert {message["msg_type"] for message in said} <= {"status", "execute_input", "execute_result"}
