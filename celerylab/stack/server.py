"""A web app as a child process."""

from collections.abc import Mapping
from typing import Self

from celerylab.errors import PortTaken, ProcessFailed
from celerylab.stack import ports, texts
from celerylab.stack.modules import check_module, import_failure
from celerylab.stack.process import ManagedProcess, python


class Server(ManagedProcess):
    """An ASGI or WSGI app, served.

    Parameters
    ----------
    target
        ``module:app``, or ``module:create_app()`` for an application factory.
    port
        A free one if not given.
    host
        Name or address of this machine on which it listens.
    timeout
        Seconds that it may take to get ready.
    env
        Added to its environment.
    """

    def __init__(
        self,
        target: str,
        *,
        port: int | None = None,
        host: str = ports.HOST,
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.target = target
        self.host = host
        ports.check(host)
        self.port = port or ports.free_port(host)
        self._timeout = timeout
        super().__init__(target.removesuffix("()").replace(":", "."), self._launch(), env=env)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Start the server; return when it accepts connections.

        Raises
        ------
        PortTaken
            Another program listens on the port.
        NoSuchModule
            No module of that name can be found.
        ProcessFailed
            The module could not be imported, with its own traceback, or the server did not
            get ready.
        """
        check_module(self.target)
        if ports.accepts(self.port, self.host):
            raise PortTaken(texts.PORT_TAKEN.format(port=self.port, host=self.host))
        self.spawn()
        try:
            self.wait_ready(lambda: ports.accepts(self.port, self.host), self._timeout)
        except ProcessFailed as failure:
            if (traceback := import_failure(self.target)) is not None:
                what = texts.BROKEN_MODULE.format(module=self.target.partition(":")[0])
                raise ProcessFailed(f"{what}\n{traceback}") from None
            raise failure from None
        return self

    def __repr__(self) -> str:
        state = texts.RUNS if self.alive else texts.STOPPED
        return texts.SERVER_REPR.format(target=self.target, state=state)

    def _launch(self) -> list[str]:
        return python("-m", "celerylab.stack.serving", self.target, self.host, str(self.port))
