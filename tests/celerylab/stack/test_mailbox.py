"""The SMTP server; what its mail looks like is tested with the task that sends it."""

import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from celerylab.stack.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.stop()


def test_delay_keeps_the_sender_waiting(mailbox: Mailbox) -> None:
    mailbox.delay = 0.3
    message = EmailMessage()
    message["From"], message["To"] = "noreply@example.com", "aiko@example.com"
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as server:
        started = time.monotonic()
        server.send_message(message)
    assert time.monotonic() - started >= 0.3
    assert len(mailbox) == 1
