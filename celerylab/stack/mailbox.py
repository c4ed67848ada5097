"""A real SMTP server, whose mail can be looked into: in this process, or in a container."""

import abc
import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from celerylab.errors import LabError
from celerylab.stack import ports, texts
from celerylab.stack.waiting import wait_for


class _Keeper:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: "Mailbox") -> None:
        self._mailbox = mailbox
        self.kept: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802  # theirs
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        await asyncio.sleep(self._mailbox.delay)
        self.kept.append(message)
        return "250 OK"


class _Controller(Controller):
    """Takes over a socket that is bound already, so that its port could be told before."""

    def __init__(self, handler: _Keeper, bound: socket.socket) -> None:
        super().__init__(handler, hostname=ports.HOST, port=ports.port_of(bound))
        self._bound = bound

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


class Mail(abc.ABC):
    """Mail that has arrived, oldest first.

    Attributes
    ----------
    delay
        Seconds before each mail is accepted; may be changed at any time.
    """

    delay: float

    @property
    @abc.abstractmethod
    def messages(self) -> list[EmailMessage]:
        """The mail so far."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Throw away what has arrived."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Close the server, if it is this process's own; senders are refused from now on."""

    def wait(self, n: int = 1, timeout: float = 10.0) -> list[EmailMessage]:
        """Return the mail once there are ``n``; ``Timeout`` after so many seconds."""
        return wait_for(n, "mails", lambda: self.messages, timeout)

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[EmailMessage]:
        return iter(self.messages)

    def __repr__(self) -> str:
        mails = self.messages
        title = texts.MAILBOX_ONE if len(mails) == 1 else texts.MAILBOX_REPR.format(n=len(mails))
        return "\n".join(
            [title, *(texts.MAIL_LINE.format(to=mail["To"], subject=mail["Subject"]) for mail in mails)]
        )


class Mailbox(Mail):
    """An SMTP server in this process.

    Parameters
    ----------
    bound
        Socket to listen on; one on a free port if not given.
    """

    def __init__(self, bound: socket.socket | None = None) -> None:
        self.delay = 0.0
        self._keeper = _Keeper(self)
        self._controller = _Controller(self._keeper, bound or ports.reserved())
        self._controller.start()
        self.host = ports.HOST
        self.port = self._controller.port

    @property
    def messages(self) -> list[EmailMessage]:
        """The mail so far."""
        return list(self._keeper.kept)

    def clear(self) -> None:
        """Throw away what has arrived."""
        self._keeper.kept.clear()

    def stop(self) -> None:
        """Close the server; senders are refused from now on."""
        self._controller.stop()


class MailService(Mail):
    """The SMTP catcher of a stack of containers, see ``celerylab.stack.mailserver``.

    Parameters
    ----------
    url
        Where its HTTP interface answers.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False)

    @property
    def delay(self) -> float:  # kept over there
        """Seconds before each mail is accepted; may be changed at any time."""
        return float(self._ask("GET", "delay"))

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._ask("PUT", "delay", seconds)

    @property
    def messages(self) -> list[EmailMessage]:
        """The mail so far."""
        return [
            email.message_from_string(each, _class=EmailMessage, policy=email.policy.default)
            for each in self._ask("GET", "mails")
        ]

    def clear(self) -> None:
        """Throw away what has arrived."""
        self._ask("DELETE", "mails")

    def stop(self) -> None:
        """Leave the service as it is; it is not this process's own."""
        self._http.close()

    def _ask(self, method: str, what: str, content: object = None) -> Any:
        try:
            answer = self._http.request(method, what, json=content)
            answer.raise_for_status()
        except httpx.HTTPError as problem:
            raise LabError(
                texts.NO_MAIL_SERVICE.format(url=self._http.base_url, problem=problem)
            ) from problem
        return answer.json()
