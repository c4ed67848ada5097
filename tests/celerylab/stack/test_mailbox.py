"""The SMTP server; what its mail looks like is tested with the task that sends it."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from celerylab.errors import LabError
from celerylab.stack.mailbox import Mail, Mailbox, MailService
from celerylab.stack.ports import accepts, free_port
from tests.processes import within


@pytest.fixture(params=["in this process", "as a service"])
def mail(request: pytest.FixtureRequest) -> Iterator[tuple[Mail, int]]:
    """An SMTP server and its port."""
    if request.param == "in this process":
        made = Mailbox()
        yield made, made.port
        made.stop()
        return
    smtp_port, http_port = free_port(), free_port()
    command = [sys.executable, "-m", "celerylab.stack.mailserver", str(smtp_port), str(http_port)]
    with subprocess.Popen(command) as server:
        assert within(30, lambda: accepts(smtp_port) and accepts(http_port))
        service = MailService(f"http://127.0.0.1:{http_port}")
        yield service, smtp_port
        service.stop()
        server.terminate()
    assert server.returncode == 0


def send(port: int, subject: str) -> float:
    """Send a mail; return the seconds that it took."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@example.com", "aiko@example.com", subject
    message.set_content("こんにちは\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        started = time.monotonic()
        server.send_message(message)
        return time.monotonic() - started


def test_mail_arrives_whole_and_in_order_until_it_is_cleared(mail: tuple[Mail, int]) -> None:
    mailbox, port = mail
    send(port, "ようこそ")
    send(port, "Again")
    first, second = mailbox.wait(2)
    assert (first["Subject"], second["Subject"]) == ("ようこそ", "Again")
    assert first.get_content().splitlines() == ["こんにちは"]
    assert repr(mailbox).splitlines()[1:] == [
        "  to aiko@example.com: ようこそ",
        "  to aiko@example.com: Again",
    ]
    mailbox.clear()
    assert len(mailbox) == 0


def test_delay_keeps_the_sender_waiting(mail: tuple[Mail, int]) -> None:
    mailbox, port = mail
    mailbox.delay = 0.3
    assert mailbox.delay == 0.3
    assert send(port, "Late") >= 0.3
    assert len(mailbox) == 1


def test_mail_service_that_is_away_is_named() -> None:
    away = MailService(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(LabError, match=r"The mail service at http://127\.0\.0\.1:.* CELERYLAB_MAIL_URL"):
        len(away)
    away.stop()
