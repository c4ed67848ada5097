"""The tasks of the site; each runs in its application context."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from celery import Task, shared_task
from flask import current_app, render_template

from labtasks import mail
from labtasks.web.site import registrations, texts

GRACE = timedelta(minutes=1)  # so long, the task that a visitor's request sent has a chance
AGAIN = 60  # s


@shared_task(bind=True, max_retries=3)
def send_welcome_email(self: "Task[Any, Any]", user_id: int) -> str:
    """Welcome somebody who has registered, once.

    A mail server that cannot be reached is asked again, up to three times, a minute apart.

    Returns
    -------
    str
        ``"sent"``, or ``"sent before"``.

    Raises
    ------
    NoSuchUser
        Nobody of that id has registered.
    """
    with registrations.mailing(user_id) as user:
        if user is None:
            return "sent before"
        message = EmailMessage()
        message["Subject"] = texts.MAIL_SUBJECT.format(site=current_app.config["SITE_NAME"])
        message["To"] = user.email
        message.set_content(render_template("welcome.txt", user=user))
        try:
            mail.send(message)
        except OSError as error:
            raise self.retry(exc=error, countdown=AGAIN) from error
    return "sent"


@shared_task
def send_missing_mails(seconds: float = GRACE.total_seconds()) -> int:
    """Send the task of each mail that is still to be sent: its message never reached a broker, or was lost.

    Parameters
    ----------
    seconds
        Registrations that are younger are left alone.

    Returns
    -------
    int
        How many.
    """
    found = registrations.waiting(timedelta(seconds=seconds))
    for one in found:
        send_welcome_email.apply_async((one.user_id,), task_id=one.task_id)
    return len(found)
