"""``celerylab lab``, for real: a JupyterLab, its token, its kernels, its end."""

import contextlib
import os
import pty
import queue
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from jupyter_client import BlockingKernelClient

from celerylab.stack.ports import free_port

DEADLINE = 150
NOTICES = "@jupyterlab/apputils-extension:notification"
READY = re.compile(
    r"ready: (http://127\.0\.0\.1:(\d+)/)lab/tree/notebooks/start_here\.ipynb\?token=(\w{48})\n"
)


class Lab:
    """One ``celerylab lab``, as a terminal starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir()
        self.out, self.err = folder / "out", folder / "err"
        self.runtime = folder / "runtime"
        environment = {
            **os.environ,
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "IPYTHONDIR": str(folder / "ipython"),
            # A proxy that is not there: the lab must ask its own loopback directly.
            "http_proxy": "http://127.0.0.1:1",
        }
        # A terminal on standard input: that is where Jupyter would ask before it stops.
        self.terminal, stdin = pty.openpty()
        with self.out.open("w") as out, self.err.open("w") as err:
            command = [sys.executable, "-m", "celerylab.cli", "lab", "--no-browser", *arguments]
            self.process = psutil.Popen(command, stdin=stdin, stdout=out, stderr=err, env=environment)
        os.close(stdin)

    def ready(self) -> tuple[str, int, str]:
        """Wait for the address; return base URL, port and token."""
        found = wait_for(lambda: READY.search(self.out.read_text()) or self.ended(), "the lab's address")
        assert isinstance(found, re.Match), self.err.read_text()
        return found[1], int(found[2]), found[3]

    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self) -> int:
        wait_for(self.ended, "the lab's end")
        status: int = self.process.returncode
        return status

    def start_kernel(self) -> psutil.Process:
        base, _, token = self.ready()
        headers = {"Authorization": f"token {token}"}
        begun = httpx.post(f"{base}api/kernels", headers=headers, timeout=30, trust_env=False).json()
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{begun['id']}.json"))
        client.load_connection_file()
        # Without the heartbeat: it gives a slow kernel up after a second.
        client.start_channels(hb=False)
        wait_for(lambda: is_idle(client), "an idle kernel")
        client.stop_channels()
        (kernel,) = self.process.children(recursive=True)
        return kernel

    def close(self) -> None:
        for process in [*self.process.children(recursive=True), self.process] if not self.ended() else []:
            process.kill()
        self.process.wait()
        os.close(self.terminal)


def is_idle(client: BlockingKernelClient) -> bool:
    """Ask the kernel something, and say whether it was seen to be done with that.

    Interrupted between its reply and its end, it would say so among the lab's errors.
    """
    asked = client.kernel_info()
    client.get_shell_msg(timeout=DEADLINE)
    with contextlib.suppress(queue.Empty):
        while True:
            said = client.get_iopub_msg(timeout=1)
            state = said["content"].get("execution_state")
            if said["parent_header"].get("msg_id") == asked and state == "idle":
                return True
    return False


def wait_for(probe: Callable[[], object], what: str) -> object:
    deadline = time.monotonic() + DEADLINE
    while not (found := probe()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    started: list[Lab] = []

    def start_one(*arguments: str) -> Lab:
        started.append(Lab(tmp_path / f"lab{len(started)}", *arguments))
        return started[-1]

    yield start_one
    for each in started:
        each.close()


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_lab_answers_to_its_token_only(start: Callable[..., Lab]) -> None:
    lab = start()
    base, _, token = lab.ready()
    with httpx.Client(base_url=base, trust_env=False, timeout=30) as client:
        assert client.get("api/contents").status_code == 403
        assert client.get("api/contents", params={"token": "0" * 48}).status_code == 403
        listed = client.get("api/contents", params={"token": token}).json()
        notices = client.get(f"lab/api/settings/{NOTICES}", params={"token": token}).json()
    assert {"notebooks", "README.md"} <= {each["name"] for each in listed["content"]}
    assert notices["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert not any(token in argument for argument in lab.process.cmdline())
    assert {each.laddr.ip for each in lab.process.net_connections() if each.status == "LISTEN"} == {
        "127.0.0.1"
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_lab_stops_with_its_kernels_when_told(start: Callable[..., Lab], number: signal.Signals) -> None:
    lab = start()
    kernel = lab.start_kernel()
    lab.process.send_signal(number)
    assert lab.wait() == 0
    assert is_gone(kernel)
    assert lab.err.read_text() == ""
    assert lab.out.read_text().splitlines()[-1] == "Celery Lab has stopped."


def test_lab_killed_leaves_no_kernel(start: Callable[..., Lab]) -> None:
    lab = start()
    kernel = lab.start_kernel()
    lab.process.kill()
    wait_for(lambda: is_gone(kernel), "the kernel's end")


def test_lab_interrupted_while_it_starts_leaves_no_traceback(start: Callable[..., Lab]) -> None:
    lab = start()
    wait_for(lambda: "is starting" in lab.out.read_text(), "the first line")
    lab.process.send_signal(signal.SIGINT)
    lab.wait()
    assert "Traceback" not in lab.err.read_text()


def test_labs_that_start_at_once_get_a_port_each(start: Callable[..., Lab]) -> None:
    labs = [start() for _ in range(4)]
    ports = {lab.ready()[1] for lab in labs}
    assert len(ports) == len(labs)
    assert not any(lab.ended() for lab in labs)


def test_lab_on_a_taken_port_says_what_to_do(start: Callable[..., Lab]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        lab = start("--port", str(port))
        assert lab.wait() == 1
    (line,) = lab.err.read_text().splitlines()
    assert line.startswith(f"celerylab: Port {port} of 127.0.0.1 is taken by another program.")
    assert "make lab PORT=" in line


def test_lab_open_to_others_says_so_and_takes_the_port_it_is_given(start: Callable[..., Lab]) -> None:
    port = free_port("0.0.0.0")
    lab = start("--host", "0.0.0.0", "--port", str(port))
    assert lab.ready()[1] == port
    wait_for(lambda: "whoever reaches its port" in lab.out.read_text(), "the warning")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_lab_on_a_foreign_address_says_so(start: Callable[..., Lab], host: str) -> None:
    lab = start("--host", host)
    assert lab.wait() == 1
    (line,) = lab.err.read_text().splitlines()
    assert line.startswith(f"celerylab: {host!r} is not an address of this machine")
