"""The lab's own Celery client: asks workers, listens to events, sends tasks by name."""

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Celery

PING_TIMEOUT = 0.1
LISTENING = 0.05  # s


@lru_cache(maxsize=8)
def client(url: str, backend: str | None = None) -> "Celery":
    """Return a Celery app for a broker's address that does not become the current app.

    Parameters
    ----------
    url
        The broker.
    backend
        Where results are kept; the broker if not given.
    """
    from celery import Celery  # 0.2 s: while it loads here, the worker already starts

    app = Celery("celerylab", set_as_current=False)
    # not Celery(broker=...): CELERY_BROKER_URL in the environment would win over that
    app.conf.update(
        broker_read_url=url,
        broker_write_url=url,
        broker_connection_retry=False,
        # for so long an unanswered question listens on, and swallows the answer to the next; 1 s by default
        broker_transport_options={"polling_interval": LISTENING},
        result_backend=backend or url,
    )
    return app


def ping(url: str, node: str, timeout: float = PING_TIMEOUT) -> bool:
    """Say whether the worker of this node name answers within ``timeout`` seconds."""
    return bool(asked(url, node, "ping", timeout))


def asked(url: str, node: str, question: str, timeout: float) -> Any:
    """Return what a worker answers, or ``None`` if it does not.

    A late answer to a question before this one ends the wait for this one's: kombu reads as many
    messages as there are nodes to answer, whatever they answer. So it is asked again until the
    time is up.

    Parameters
    ----------
    url
        The broker.
    node
        The worker's node name.
    question
        A method of Celery's ``inspect``.
    timeout
        Seconds.

    Source: ``kombu.pidbox.Mailbox._collect``.
    """
    from redis import ConnectionError as Closed

    deadline = time.monotonic() + timeout
    inspect = client(url).control.inspect(destination=[node], timeout=timeout)
    while True:
        try:
            answer = (getattr(inspect, question)() or {}).get(node)
        except Closed:  # kept from before the broker was restarted; the next question opens another
            return None
        if answer is not None or (left := deadline - time.monotonic()) <= 0:
            return answer
        inspect.timeout = left


def nodes_with_task(url: str, task: str, timeout: float = 1.0) -> list[str]:
    """Return the node names of the workers that know a task, sorted.

    Parameters
    ----------
    url
        The broker.
    task
        Name of a registered task.
    timeout
        Seconds to collect answers; always waited in full, since nobody knows how many come.
    """
    registered = client(url).control.inspect(timeout=timeout).registered() or {}
    return sorted(node for node, tasks in registered.items() if task in tasks)


def without_password(url: str) -> str:
    """Return an address as it may be shown."""
    return str(client(url).connection_for_read().as_uri())
