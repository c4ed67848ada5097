"""Tasks that try again: what is worth it, when, how often, and what comes after the last time."""

import random
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from celery import Task
from celery.exceptions import TaskPredicate
from celery.utils.log import get_task_logger

from labtasks.alerts import AlertFailed, send_alert
from labtasks.app import app
from labtasks.http import post

JITTER = 0.1, 0.3  # of the delay, added to it
MANUAL_COUNTDOWN = 60.0  # s
WORTH_ASKING_AGAIN = (408, 425, 429)  # besides 5xx; RFC 9110 and RFC 6585


logger = get_task_logger(__name__)


class TaskError(Exception):
    """A task could not do its work."""


class TransientError(TaskError):
    """It may work if it is tried again: the other side is away, slow, or asks to be left alone."""


class PermanentError(TaskError):
    """It will fail however often it is tried: the request itself is wrong."""


class AlertingTask(Task):
    """A task whose final failure is an alert; a retry is none.

    ``on_failure`` runs in the process of the task, after its last attempt. A process that dies
    takes it along: dead letters see that, too.
    """

    abstract = True

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002  # Celery's signature
        """Send the alert; an alert that nobody takes must not hide why the task failed."""
        try:
            send_alert(f"{self.name} failed: {exc!r}", task_id=task_id, task=self.name)
        except AlertFailed as failed:
            logger.error("%s", failed)


def delay(retries: int, base_delay: float = 1.0, max_delay: float = 60.0) -> float:
    """Return the seconds before the next attempt, jitter included.

    They double with every retry, are lengthened by 10 to 30 % at random so that tasks which
    failed together do not come back together, and never exceed ``max_delay``.

    Parameters
    ----------
    retries
        So many there were.
    base_delay
        Seconds before the first retry, without jitter.
    max_delay
        Seconds.

    Raises
    ------
    ValueError
        A number is negative, or the first delay longer than the longest.
    """
    if retries < 0 or not 0 <= base_delay <= max_delay:
        raise ValueError(
            "retries must not be negative, and 0 <= base_delay <= max_delay must hold; "
            f"got retries={retries!r}, base_delay={base_delay!r}, max_delay={max_delay!r}"
        )
    # doubling a thousand times would not fit a float; the cap is reached long before
    doubled = base_delay * 2.0 ** min(retries, 64)
    return min(doubled * (1 + random.uniform(*JITTER)), max_delay)


def retry_with_backoff(
    max_retries: int = 3,
    base_delay: float = 1.0,
    max_delay: float = 60.0,
    retry_for: tuple[type[Exception], ...] = (Exception,),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Retry a bound task on errors, ever more slowly; put it below ``@app.task(bind=True)``.

    After the last retry the task fails with its own exception.

    Parameters
    ----------
    max_retries
        The task runs once more than that at most.
    base_delay, max_delay
        Of ``delay``.
    retry_for
        Exceptions worth another attempt. Celery's own (``Retry``, ``Ignore``, ``Reject``) always
        pass.
    """
    delay(0, base_delay, max_delay)  # refused here, not at the first failure

    def decorator(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def wrapper(self: "Task[Any, Any]", *args: Any, **kwargs: Any) -> Any:
            try:
                return run(self, *args, **kwargs)
            except TaskPredicate:
                raise
            except retry_for as error:
                countdown = delay(self.request.retries, base_delay, max_delay)
                raise self.retry(exc=error, countdown=countdown, max_retries=max_retries) from error

        return wrapper

    return decorator


def deliver(url: str, data: Any) -> dict[str, Any]:
    """Post JSON to a partner, and return the answer's body.

    Raises
    ------
    TransientError
        Nobody answers, or the answer is 408, 425, 429 or 5xx.
    PermanentError
        Any other answer but success, or the address is none.
    """
    import httpx

    try:
        answer = post(url, data)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise PermanentError(f"{url!r} is no address: {error}") from None
    except httpx.HTTPError as error:
        raise TransientError(f"{url} does not answer: {error or type(error).__name__}") from None
    if answer.is_success:
        return cast(dict[str, Any], answer.json())
    said = f"{url} answered {answer.status_code} {answer.reason_phrase}".strip()
    worth = answer.is_server_error or answer.status_code in WORTH_ASKING_AGAIN
    raise (TransientError if worth else PermanentError)(said)


@app.task(
    base=AlertingTask,
    max_retries=3,
    autoretry_for=(TaskError,),
    dont_autoretry_for=(PermanentError,),
    retry_backoff=True,
    retry_backoff_max=600,
    retry_jitter=True,
)
def resilient_task(url: str, data: Any) -> dict[str, Any]:
    """Deliver data to a partner; Celery retries what is transient.

    Up to 1, 2 and 4 s lie between the four attempts.

    Raises
    ------
    TransientError, PermanentError
        Of ``deliver``, after the last attempt.
    """
    return deliver(url, data)


@app.task(bind=True, base=AlertingTask)
def manual_retry_task(self: "Task[Any, Any]", url: str, data: Any) -> dict[str, Any]:
    """Deliver data to a partner; the task itself decides whether and when to try again.

    Raises
    ------
    TransientError, PermanentError
        Of ``deliver``: the first after six attempts, a minute apart, the other at once.
    """
    try:
        return deliver(url, data)
    except TransientError as error:
        raise self.retry(exc=error, countdown=MANUAL_COUNTDOWN, max_retries=5) from error
    except PermanentError as error:
        logger.error("permanent: %s", error)
        raise
