"""A real SMTP server in this process, whose mail can be looked into."""

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

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


class Mailbox:
    """Mail that has arrived, oldest first.

    Parameters
    ----------
    bound
        Socket to listen on; one on a free port if not given.

    Attributes
    ----------
    delay
        Seconds before each mail is accepted; may be changed at any time.
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

    def wait(self, n: int = 1, timeout: float = 10.0) -> list[EmailMessage]:
        """Return the mail once there are ``n``; ``Timeout`` after so many seconds."""
        return wait_for(n, "mails", lambda: self._keeper.kept, timeout)

    def clear(self) -> None:
        """Throw away what has arrived."""
        self._keeper.kept.clear()

    def stop(self) -> None:
        """Close the server; senders are refused from now on."""
        self._controller.stop()

    def __len__(self) -> int:
        return len(self._keeper.kept)

    def __iter__(self) -> Iterator[EmailMessage]:
        return iter(self.messages)

    def __repr__(self) -> str:
        mails = self.messages
        title = texts.MAILBOX_ONE if len(mails) == 1 else texts.MAILBOX_REPR.format(n=len(mails))
        return "\n".join(
            [title, *(texts.MAIL_LINE.format(to=mail["To"], subject=mail["Subject"]) for mail in mails)]
        )
