"""What lies in the broker: queues by length, and messages one by one."""

import base64
import json
from typing import TYPE_CHECKING, Any

from celerylab.errors import LabError
from celerylab.stack.keys import BINDINGS, PRIORITY, UNACKED
from celerylab.views import texts
from celerylab.views.table import Table, named_values

if TYPE_CHECKING:
    import redis

BODY_PARTS = ("args", "kwargs", "embed")


def queues(client: "redis.Redis") -> Table:
    """Return queues with how many of their messages wait, and how many a worker holds.

    A message that a worker has taken stays in the hash ``unacked`` until the worker
    acknowledges it.

    Source: kombu's Redis transport, ``kombu/transport/redis.py``.
    """
    waiting = {name: sum(client.llen(key) for key in keys) for name, keys in _lists(client).items()}
    held: dict[str, int] = {}
    for raw in client.hvals(UNACKED):
        name = json.loads(raw)[2]
        held[name] = held.get(name, 0) + 1
    rows = [[name, waiting.get(name, 0), held.get(name, 0)] for name in sorted(waiting | held)]
    return Table([texts.QUEUE, texts.WAITING_MESSAGES, texts.UNACKED_MESSAGES], rows, empty=texts.NO_QUEUES)


def depths(client: "redis.Redis") -> dict[str, int]:
    """Return how many messages wait in each queue to which tasks are sent; other lists are left out."""
    bound = {
        bytes(member).decode().rpartition(PRIORITY)[2]  # type: ignore[arg-type]  # no text: see ``client``
        for key in client.scan_iter(match=f"{BINDINGS}*", count=1000, _type="SET")
        for member in client.smembers(key)
    }
    return {
        name: sum(client.llen(key) for key in keys) for name, keys in _lists(client).items() if name in bound
    }


class Message:
    """A task message as it lies in the broker: headers, properties, body.

    Attributes
    ----------
    raw
        The bytes in the broker.
    headers, properties
        Dictionaries.
    body
        ``[args, kwargs, embed]``, decoded if it is JSON, bytes otherwise.
    """

    def __init__(self, raw: bytes | str) -> None:
        self.raw = raw.encode() if isinstance(raw, str) else raw
        envelope = json.loads(raw)
        self.headers: dict[str, Any] = envelope["headers"]
        self.properties: dict[str, Any] = envelope["properties"]
        self.content_type: str = envelope["content-type"]
        body = base64.b64decode(envelope["body"])
        self.body: Any = json.loads(body) if self.content_type == "application/json" else body

    def __repr__(self) -> str:
        return "\n".join(
            line
            for title, rows in self._sections()
            for line in [title, *(f"  {name:<16} {value}" for name, value in rows)]
        )

    def _repr_html_(self) -> str:
        return "".join(named_values(title, rows, code=True) for title, rows in self._sections())

    def _sections(self) -> list[tuple[str, list[tuple[str, str]]]]:
        headers = [(name, _stable(name, value)) for name, value in self.headers.items() if value is not None]
        properties = [(name, _stable(name, value)) for name, value in self.properties.items()]
        body = [("bytes", f"{len(self.body)}, {self.content_type}")]
        if isinstance(self.body, list):
            body = [(name, repr(part)) for name, part in zip(BODY_PARTS, self.body, strict=True)]
        return [
            (texts.SECTION_HEADERS, headers),
            (texts.SECTION_PROPERTIES, properties),
            (texts.SECTION_BODY, body),
        ]


def peek(client: "redis.Redis", queue: str, index: int = 0) -> Message:
    """Return a waiting message without taking it.

    Parameters
    ----------
    queue
        Name of the queue.
    index
        0 is the message that the next free worker gets, 1 the one after it.

    Raises
    ------
    LabError
        No message lies there; names the queues that hold some.
    """
    keys = sorted(_lists(client).get(queue, []))
    # the left end is where producers push, workers take from the right
    raws = [raw for key in keys for raw in reversed(client.lrange(key, 0, -1))]
    if not raws:
        others = ", ".join(sorted(_lists(client))) or texts.NONE
        raise LabError(texts.NO_MESSAGE.format(queue=queue, queues=others))
    if not 0 <= index < len(raws):
        raise LabError(texts.NO_SUCH_MESSAGE.format(queue=queue, n=len(raws), index=index))
    return Message(raws[index])


def _lists(client: "redis.Redis") -> dict[str, list[str]]:
    """Return the keys of each queue's lists, one for each priority in use."""
    found: dict[str, list[str]] = {}
    for raw in client.scan_iter(match="*", count=1000, _type="LIST"):
        key = raw.decode()
        name = key.partition(PRIORITY)[0]
        if not name.endswith(".reply.celery.pidbox"):
            found.setdefault(name, []).append(key)
    return found


def _stable(name: str, value: object) -> str:
    """Show a value; one that is new in each run is told by its kind."""
    if name in {"reply_to", "delivery_tag"}:
        return texts.VARIES["a UUID"]
    if name == "origin":
        return texts.VARIES["origin"]
    if name in {"id", "root_id", "parent_id", "correlation_id", "group"} and _is_uuid(value):
        return texts.VARIES["a UUID"]
    if name in {"eta", "expires", "sent_at"} and value:
        return texts.VARIES["time"]
    return repr(value)


def _is_uuid(value: object) -> bool:
    text = str(value)
    return len(text) == 36 and text.count("-") == 4
