"""JupyterLab, started for the course: quiet, on loopback, behind a random token."""

import errno
import os
import secrets
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import zmq

from celerylab import texts
from celerylab.course import ROOT
from celerylab.errors import LabError, PortTaken

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

FIRST_PORT = 8888
FURTHER_PORTS = 100
START_PAGE = "notebooks/start_here.ipynb"
EXTENSIONS = Path(__file__).with_name("labextensions")
DEADLINE = 120.0
WILDCARDS = ("", "*", "0.0.0.0", "::")  # noqa: S104 - recognised, not bound
# A closed terminal window must stop the kernels as Ctrl-C does.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class BadAddress(LabError):
    """The host or the port cannot be listened on."""


def run(host: str = "127.0.0.1", port: int | None = None, *, browser: bool = True) -> int:
    """Serve the course until it is stopped; return the exit status.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port, or None for 8888 or the next free one.
    browser
        Whether to open a browser at the course's first page.

    Raises
    ------
    PortTaken
        Another program listens on `port`.
    BadAddress
        `host` is no address of this machine, or `port` is not allowed.
    """
    check_address(host, port or 0)
    try:
        return _serve(host, port, browser=browser)
    except KeyboardInterrupt:
        return 0


def check_address(host: str, port: int) -> None:
    """Refuse a host or a port that cannot be listened on; port 0 checks the host alone."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as problem:
        raise BadAddress(texts.BAD_HOST.format(host=host, problem=problem.strerror)) from problem
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            # As the server will do it: a port that was just left is not taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as problem:
                raise _refusal(host, port, problem) from problem


def _refusal(host: str, port: int, problem: OSError) -> LabError:
    if problem.errno == errno.EADDRINUSE:
        return PortTaken(texts.PORT_IN_USE.format(host=host, port=port, other=port % 65535 + 1))
    if problem.errno == errno.EADDRNOTAVAIL:
        return BadAddress(texts.BAD_HOST.format(host=host, problem=problem.strerror))
    return BadAddress(texts.PORT_REFUSED.format(host=host, port=port, problem=problem.strerror))


def _serve(host: str, port: int | None, *, browser: bool) -> int:
    # JupyterLab takes a second to import; the address was refused before that.
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp
    from tornado.netutil import bind_sockets

    class Server(ServerApp):
        def init_signal(self) -> None:
            """Leave the signals as they are: its own Ctrl-C asks back, and may be lost at the start."""

        def _find_http_port(self) -> None:
            """Keep the port that is found: JupyterLab looks for one, and listens a second later."""
            self._listening: list[socket.socket] = []
            while not self._listening:
                super()._find_http_port()
                # another lab may take it between look and grasp
                with suppress(OSError):
                    self._listening = bind_sockets(self.port, self.ip)

        def _bind_http_server_tcp(self) -> bool:
            self.http_server.add_sockets(self._listening)
            return True

    LabApp.serverapp_class = Server
    # also where whoever started this ignores Ctrl-C, as a shell does for what it puts in the background
    for number in STOPPING:
        # at once: an exception is lost if it comes up in a finalizer, and nothing has begun yet
        signal.signal(number, lambda *_: os._exit(0))
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    os.environ["JUPYTER_TOKEN"] = token
    # So that `celery` in a terminal of JupyterLab is the course's own.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    print(texts.STARTING, flush=True)
    server: ServerApp = LabApp.initialize_server(_arguments(host, port, browser=browser))
    for number in STOPPING:
        signal.signal(number, lambda *_: server.stop(from_signal=True))
    announcer = Announcer(server, host, token)
    announcer.start()
    try:
        server.start()
    finally:
        announcer.over.set()
    if announcer.failed:
        return 1
    print(texts.STOPPED, flush=True)
    return 0


def _arguments(host: str, port: int | None, *, browser: bool) -> list[str]:
    arguments = {
        "ServerApp.ip": host,
        "ServerApp.port": str(port or FIRST_PORT),
        "ServerApp.port_retries": str(0 if port else FURTHER_PORTS),
        # Loopback needs no TLS, and a certificate of the learner's would not name 127.0.0.1.
        "ServerApp.certfile": "",
        "ServerApp.root_dir": str(ROOT),
        "ServerApp.open_browser": str(browser),
        # Containers run as root; the token guards them as it does everybody.
        "ServerApp.allow_root": str(os.geteuid() == 0),
        "Application.log_level": "WARN",
        "LabApp.default_url": f"/lab/tree/{START_PAGE}",
        # Keys for the widgets, links to sections, words for the figures.
        "LabApp.extra_labextensions_path": str(EXTENSIONS),
        # Without it every kernel warns on this terminal that others may listen in.
        "KernelManager.transport_encryption": "auto" if zmq.has("curve") else "disabled",
        # It would run npm at every start, to look for editors' helpers that no lesson uses.
        "LanguageServerManager.autodetect": "False",
        # What else JupyterLab would ask at the first start is answered in overrides.json.
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    }
    return [f"--{name}={value}" for name, value in arguments.items()]


class Announcer(threading.Thread):
    """Prints the address once the server answers there, or stops a server that never does."""

    def __init__(self, server: "ServerApp", host: str, token: str) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.host = host
        self.token = token
        self.over = threading.Event()
        self.failed = False

    def run(self) -> None:
        """Ask until the server answers."""
        name = "127.0.0.1" if self.host in WILDCARDS else self.host
        name = f"[{name}]" if ":" in name else name
        base = f"http://{name}:{self.server.port}{self.server.base_url}"
        deadline = time.monotonic() + DEADLINE
        while not self._answers(base):
            if time.monotonic() > deadline:
                self.failed = True
                print(texts.ERROR.format(problem=texts.NO_ANSWER.format(seconds=DEADLINE)), file=sys.stderr)
                self.server.stop(from_signal=True)
                return
            if self.over.wait(0.05):
                return
        print(texts.READY.format(address=f"{base}lab/tree/{START_PAGE}?token={self.token}"), flush=True)
        if self.host in WILDCARDS:
            print(texts.OPEN_TO_ALL.format(host=self.host), flush=True)

    def _answers(self, base: str) -> bool:
        headers = {"Authorization": f"token {self.token}"}
        try:
            # A proxy of the environment has no way to this machine's loopback.
            answer = httpx.get(f"{base}api/status", headers=headers, timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.is_success
