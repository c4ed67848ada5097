"""Alerts: what a person has to know now."""

from typing import Any

from celery.utils.log import get_task_logger

from labtasks.http import NotTaken, tell
from labtasks.settings import settings

logger = get_task_logger(__name__)


class AlertFailed(Exception):
    """Nobody took the alert."""


def send_alert(text: str, **details: Any) -> None:
    """Log an alert, and post it to ``CELERYLAB_ALERT_URL`` if that is set.

    Parameters
    ----------
    text
        One line that says what has happened.
    details
        What JSON can take; posted beside ``text``.

    Raises
    ------
    AlertFailed
        The receiver could not be reached, or answered with an error.
    """
    logger.error("alert: %s", text)
    if target := settings().alert_url:
        try:
            tell(target, {"text": text, **details})
        except NotTaken as why:
            raise AlertFailed(f"{target} did not take the alert {text!r}: {why}") from None
