"""How long a queue is, and how long its oldest message has waited.

A message carries no time of its own: ``stamp(app)`` has each one say when it was sent. On Redis
a queue is several lists, one for each step of priority; all of them are looked at.

Source: kombu's Redis transport, ``kombu/transport/redis.py``, and Celery's ``before_task_publish``.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from celery import signals
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from celery import Celery

SENT_AT = "sent_at"  # the header: seconds since the epoch, by the sender's clock
CONNECT_TIMEOUT, TIMEOUT = 1.0, 2.0  # s; whoever looks must not wait for a broker that is away


class BrokerAway(Exception):
    """The broker does not answer."""


class QueueHealth(msgspec.Struct, frozen=True):
    """What waits in a queue.

    Attributes
    ----------
    queue
        Its name.
    waiting
        Messages that no worker has taken yet, of all priorities.
    oldest
        Seconds that the oldest of them has waited; 0 if none waits, ``None`` if it does not say.
    """

    queue: str
    waiting: int
    oldest: float | None


def stamp(app: "Celery", names: Callable[[str], bool] | None = None) -> None:
    """Have every message of an app's tasks say when it was sent, retries and workflows too.

    Call it where the app is made: workers send messages as well.

    Parameters
    ----------
    app
        The app.
    names
        Says of a task's name whether its messages are meant; those of the app's own tasks if not
        given. The signal does not tell which app of the process sends.
    """

    def sent(sender: str, headers: dict[str, Any], **_: object) -> None:
        # not app.tasks: that would make the tasks of an app which sends nothing now
        if names(sender) if names else sender in app._tasks:
            headers[SENT_AT] = time.time()

    # not weakly: nobody else holds the function
    signals.before_task_publish.connect(sent, weak=False, dispatch_uid=("queue health", id(app)))


def waited_since(headers: Mapping[str, Any]) -> float | None:
    """Return since when a message has waited for a worker, in seconds since the epoch.

    Parameters
    ----------
    headers
        Of the message; ``vars(task.request)`` holds them, too.

    Returns
    -------
    float or None
        When it was sent, or its ``eta`` if that is later; ``None`` if it does not say.
    """
    sent = headers.get(SENT_AT)
    if not isinstance(sent, int | float):
        return None
    try:
        return max(sent, datetime.fromisoformat(headers["eta"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return float(sent)


def look(app: "Celery", queues: Iterable[str] | None = None) -> list[QueueHealth]:
    """Look at queues, without taking a message.

    Parameters
    ----------
    app
        Its broker is asked.
    queues
        Their names; all that the app knows if not given.

    Raises
    ------
    BrokerAway
        It does not answer within a few seconds.
    """
    names = sorted(app.amqp.queues) if queues is None else list(queues)
    with _channel(app) as channel:
        if not hasattr(channel, "priority_steps"):  # no Redis: a broker that counts by itself
            return [QueueHealth(name, _declared(channel, name), None) for name in names]
        return [_look(channel, name) for name in names]


def _look(channel: Any, queue: str) -> QueueHealth:
    keys = [channel._q_for_pri(queue, step) for step in channel.priority_steps]
    with channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
        for key in keys:
            # workers take from the right
            pipe.llen(key).lindex(key, -1)
        found = pipe.execute()
    waiting, next_ones = sum(found[::2]), [raw for raw in found[1::2] if raw is not None]
    sent = [at for at in map(_sent_at, next_ones) if at is not None]
    if not waiting:
        return QueueHealth(queue, 0, 0.0)
    # clocks of two machines may differ
    return QueueHealth(queue, waiting, max(0.0, time.time() - min(sent)) if sent else None)


def _sent_at(raw: bytes) -> float | None:
    try:
        found = json.loads(raw)["headers"][SENT_AT]
    except (ValueError, KeyError, TypeError):
        return None
    return float(found) if isinstance(found, int | float) else None


def _declared(channel: Any, queue: str) -> int:
    # passive: to ask for a queue that there isn't makes none
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except channel.connection.client.channel_errors:
        return 0


@contextmanager
def _channel(app: "Celery") -> Iterator[Any]:
    quick = {"socket_connect_timeout": CONNECT_TIMEOUT, "socket_timeout": TIMEOUT}
    connection = app.connection_for_read(transport_options=quick)
    try:
        with connection:
            # tried twice, without a pause: whoever looks will look again
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            with connection.channel() as channel:
                yield channel
    except (OperationalError, *connection.recoverable_connection_errors, OSError) as error:
        raise BrokerAway(f"the broker does not answer: {error}") from error
