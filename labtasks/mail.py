"""Mail, over SMTP."""

import smtplib
from email.message import EmailMessage
from typing import Any

from celery import Task

from labtasks.app import app
from labtasks.settings import settings

WELCOME_SUBJECT = "Welcome"
WELCOME_BODY = "Hello {username}, thank you for registering.\n"


def send(message: EmailMessage) -> None:
    """Hand a message to the SMTP server that the settings name.

    Raises
    ------
    OSError
        The server cannot be reached (``smtplib.SMTPException``, when it refuses the
        message, is an ``OSError`` too).
    """
    read = settings()
    message["From"] = read.mail_from
    with smtplib.SMTP(read.smtp_host, read.smtp_port, timeout=10) as server:
        server.send_message(message)


@app.task(bind=True, max_retries=3)
def send_welcome_email(self: "Task[Any, Any]", user_id: int) -> str:
    """Welcome somebody who has registered.

    A mail server that cannot be reached is asked again, up to three times, a minute apart.

    Returns
    -------
    str
        The address written to.

    Raises
    ------
    NoSuchUser
        The table holds no user of that id.
    """
    from labtasks import users  # SQLAlchemy: 15 MiB that a worker without a database need not hold

    user = users.find(user_id)
    message = EmailMessage()
    message["Subject"] = WELCOME_SUBJECT
    message["To"] = user.email
    message.set_content(WELCOME_BODY.format(username=user.username))
    try:
        send(message)
    except OSError as error:
        raise self.retry(exc=error, countdown=60) from error
    return user.email
