"""Send tasks from a web request: at once, or say at once that the broker is down.

Celery's own patience suits a script: with broker and results on Redis, ``delay()`` tries for
some 19 s. Somebody who looks at a page needs an answer sooner, and so do those behind them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from celery import Celery, Task
    from celery.result import AsyncResult

PATIENCE = 1.0  # s for a connection, and for an answer on it
DATABASE_ERROR = "sqlalchemy.exc.DBAPIError"
_AT_ONCE = {"interval_start": 0, "interval_step": 0, "interval_max": 0}


class BrokerDown(Exception):
    """The broker, or the store of results, could not be reached in time.

    Usually nothing was sent. If the connection broke while the broker answered, it was: send
    again with the same ``task_id``, or let the task bear to run twice.
    """


def hurry(app: "Celery") -> None:
    """Let what this process asks of broker and results fail within about two seconds.

    Call it once in a web process, before the first request. A worker keeps its patience.
    """
    app.conf.update(
        # once more, since a connection that was kept from before a restart fails at its first use
        task_publish_retry_policy={"max_retries": 1, **_AT_ONCE},
        broker_connection_timeout=PATIENCE,
        broker_transport_options={
            **app.conf.broker_transport_options,
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
        },
        redis_socket_timeout=PATIENCE,
        redis_socket_connect_timeout=PATIENCE,
        result_backend_transport_options={
            **app.conf.result_backend_transport_options,
            "retry_policy": {"max_retries": 0, **_AT_ONCE},
        },
    )


def send(
    task: "Task[Any, Any]",
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    **options: Any,
) -> "AsyncResult[Any]":
    """Send a task, as ``apply_async`` does.

    Parameters
    ----------
    task
        The task.
    args, kwargs
        Its arguments.
    options
        More of ``apply_async``, such as ``task_id`` or ``queue``.

    Raises
    ------
    BrokerDown
        It could not be sent.
    """
    with reaching():
        return task.apply_async(args, dict(kwargs or {}), **options)


@contextmanager
def reaching() -> Iterator[None]:
    """Turn every way in which Celery says that Redis is away into ``BrokerDown``.

    Raises
    ------
    BrokerDown
        The block could not reach broker or results.
    """
    try:
        yield
    except Exception as error:
        if not _says_away(error):
            raise
        raise BrokerDown(str(error).strip().partition("\n")[0]) from error


def _says_away(error: Exception) -> bool:
    if isinstance(error, RuntimeError):
        # so the Redis backend says that it has tried often enough to listen for a result
        return "result store" in str(error)
    if isinstance(error, AttributeError):
        # If Redis hung while kombu's producer declared the queue, it sends on the channel of before,
        # which is closed by then. Source: Producer._publish in kombu/messaging.py, kombu 5.7.0
        return error.obj is None and error.name == "client"
    # by name: SQLAlchemy takes 15 MiB, and is loaded already if results are kept in a database
    database = any(f"{kind.__module__}.{kind.__name__}" == DATABASE_ERROR for kind in type(error).__mro__)
    return database or isinstance(error, OperationalError | RedisConnectionError | RedisTimeoutError)
