"""A broker that runs elsewhere: who else is there, and what earlier lessons left."""

import json
import os
import re
from typing import TYPE_CHECKING

from celerylab.stack import control
from celerylab.stack.keys import PRIORITY, UNACKED, UNACKED_INDEX

if TYPE_CHECKING:
    from collections.abc import Collection

    import redis

PRESENCE = "celery-lab-notebook"
ANSWER_TIMEOUT = 10.0  # s; asked by name, workers that answer sooner are not waited for
KEPT = re.compile(
    r"_kombu\.binding\..*|unacked.*|\{labtasks\.dead_letters\}:.*"
    r"|celery-task-meta-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


class Presence:
    """A connection that shows other notebooks that this one is attached, until its process ends."""

    def __init__(self, url: str) -> None:
        import redis

        self._name = f"{PRESENCE}-{os.getpid()}"
        self._connection = redis.Redis.from_url(url, client_name=self._name, single_connection_client=True)
        self._connection.ping()

    def others(self) -> int:
        """Count the other notebooks that are attached to the same database."""
        clients = self._connection.client_list()
        own = next(each for each in clients if each["name"] == self._name)
        names = {each["name"] for each in clients if each["db"] == own["db"]}
        return sum(name.startswith(PRESENCE) for name in names - {self._name})

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def queues_of(url: str, nodes: "Collection[str]") -> set[str]:
    """Return the names of the queues that some workers consume."""
    inspect = control.client(url).control.inspect(destination=list(nodes), timeout=ANSWER_TIMEOUT)
    return {queue["name"] for queues in (inspect.active_queues() or {}).values() for queue in queues}


def clear_leftovers(client: "redis.Redis", keep: "Collection[str]") -> None:
    """Remove what lessons left: messages, gates, results by name.

    Parameters
    ----------
    client
        Of a database that holds nothing but the lab's.
    keep
        Queues whose messages stay: those of the bundled worker. If there is none, its worker did
        not say, and everything stays. Results under ids that Celery made stay too, somebody may
        wait for them.
    """
    if not keep:
        return
    for tag, held in client.hgetall(UNACKED).items():
        if json.loads(held)[2] not in keep:
            client.hdel(UNACKED, tag)
            client.zrem(UNACKED_INDEX, tag)
    for raw in client.scan_iter(count=1000):
        key = raw.decode(errors="replace")
        if not KEPT.fullmatch(key) and key.partition(PRIORITY)[0] not in keep and "pidbox" not in key:
            client.delete(raw)
