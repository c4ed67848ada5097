"""Flower as a child process: Celery's web monitor, behind a password, opened through JupyterLab."""

from __future__ import annotations

import os
import secrets
import sys
from functools import partial
from html import escape
from typing import Any, Self

from celerylab.errors import LabError, ProcessFailed
from celerylab.stack import ports, texts
from celerylab.stack.broker import client
from celerylab.stack.celery_process import COMMAND
from celerylab.stack.modules import check_module, explained
from celerylab.stack.process import ManagedProcess, python

USER = "lab"
BASE = "JUPYTERHUB_SERVICE_PREFIX"  # where JupyterLab stands on a hub; / elsewhere
FRAME = 600  # pixels
_VIEW = "application/vnd.jupyter.widget-view+json"


class Flower(ManagedProcess):
    """Flower of one app, on loopback, for who knows the password.

    Parameters
    ----------
    module
        What follows ``celery -A``: the app whose workers are shown.
    broker_url
        The broker that the app connects to, where Flower listens to task events.
    timeout
        Seconds that it may take to get ready.

    Attributes
    ----------
    user, password
        What it asks for; the password is made at random.
    """

    # JupyterLab hands requests for proxy/absolute/<port>/… on as they are, so Flower stands under
    # that path itself: its links and files are then right in both places.

    def __init__(self, module: str, *, broker_url: str, timeout: float = 30.0) -> None:
        self.module = module
        self.user, self.password = USER, secrets.token_urlsafe(16)
        self._broker_url = broker_url
        self._timeout = timeout
        self._place()
        super().__init__(f"flower.{module.replace(':', '.')}", [])

    @property
    def url(self) -> str:
        """Where it answers on this machine."""
        return f"http://{ports.HOST}:{self.port}{self.path}"

    @property
    def path(self) -> str:
        """Where it answers on the JupyterLab of this machine."""
        return f"{os.environ.get(BASE, '/').rstrip('/')}/proxy/absolute/{self.port}/"

    @property
    def login(self) -> tuple[str, str]:
        """User and password, as ``httpx`` takes them for ``auth``."""
        return self.user, self.password

    def start(self) -> Self:
        """Start Flower; return when it answers, and no task event escapes it.

        Raises
        ------
        NoSuchModule
            No module of that name can be found.
        ProcessFailed
            The module could not be imported, with its own traceback, or Flower did not get ready.
        """
        check_module(self.module)
        for tries_left in reversed(range(ports.PORT_TRIES)):
            self.command = self._launch()
            # not among the arguments, which everybody on the machine can read
            self._env = {"FLOWER_BASIC_AUTH": f"{self.user}:{self.password}"}
            ready = partial(self._answers, self._listeners())
            self.spawn()
            try:
                self.wait_ready(ready, self._timeout)
                return self
            except ProcessFailed as failure:
                log = self._read_log()
                self.kill()
                # between our look and its start, somebody may have taken the port
                if "Address already in use" not in log or not tries_left:
                    raise explained(failure, self.module, log) from None
                self._place()
        raise AssertionError

    def api(self, path: str, *, auth: tuple[str, str] | None = None, method: str = "GET") -> Any:
        """Ask Flower's API, and return the answer's JSON.

        Parameters
        ----------
        path
            Such as ``workers`` or ``tasks?limit=5``.
        auth
            User and password; Flower's own if not given.
        method
            Of the request.

        Raises
        ------
        LabError
            It refused; says with which status.
        """
        import httpx

        address = f"{self.url}api/{path}"
        answer = httpx.request(
            method, address, auth=auth or self.login, timeout=self._timeout, trust_env=False
        )
        if answer.is_error:
            raise LabError(texts.FLOWER_REFUSED.format(method=method, path=path, status=answer.status_code))
        return answer.json()

    def show(self) -> Any:
        """Return a view that has Flower's pages in the notebook, through JupyterLab."""
        return FlowerView(self, frame=True)

    def __repr__(self) -> str:
        state = texts.RUNS if self.alive else texts.STOPPED
        return texts.FLOWER_REPR.format(module=self.module, state=state)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return FlowerView(self)._repr_mimebundle_()

    def _answers(self, listened_before: int) -> bool:
        return ports.accepts(self.port) and self._listeners() > listened_before

    def _listeners(self) -> int:
        """Return how many listen to events on the broker; kombu subscribes to a pattern."""
        return int(client(self._broker_url).pubsub_numpat())

    def _place(self) -> None:
        self.port = ports.free_port()

    def _launch(self) -> list[str]:
        where = [f"--address={ports.HOST}", f"--port={self.port}", f"--url_prefix={self.path.strip('/')}"]
        return python("-m", COMMAND, "-A", self.module, "flower", *where)


class FlowerView:
    """A link to Flower with its user and password, for a notebook.

    They stand in a widget: a saved notebook holds neither.

    Parameters
    ----------
    flower
        Which one.
    frame
        Whether its pages are shown below.
    """

    def __init__(self, flower: Flower, *, frame: bool = False) -> None:
        self.flower, self.frame = flower, frame

    def __repr__(self) -> str:
        return repr(self.flower)

    def html(self) -> str:
        """Return what the widget holds."""
        flower = self.flower
        if not flower.alive:
            return f"<p>{escape(repr(flower))}</p>"
        shown = texts.FLOWER_CARD.format(
            path=escape(flower.path), user=escape(flower.user), password=escape(flower.password)
        )
        if self.frame:
            shown += (
                f'<iframe src="{escape(flower.path)}" title="{escape(texts.FLOWER_TITLE)}" '
                f'style="width: 100%; height: {FRAME}px; border: 1px solid"></iframe>'
            )
        return shown

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if getattr(shell, "kernel", None) is None:
            return bundle
        import ipywidgets  # type: ignore[import-untyped]

        made = ipywidgets.HTML(value=self.html())
        return bundle | {_VIEW: made._repr_mimebundle_()[_VIEW]}
