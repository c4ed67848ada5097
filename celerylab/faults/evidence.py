"""What is known of a service and its photos, read from what others hold."""

from __future__ import annotations

import base64
import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celerylab.dead_letters import letters
from celerylab.stack.keys import PRIORITY, UNACKED

if TYPE_CHECKING:
    import redis
    from celery import Celery

BULK, URGENT = "photos.bulk", "photos.urgent"
LANES = (BULK, URGENT)
STORE = "photos"  # of dead letters
SIZES = ("160x120", "64x48")
RESULTS = "celery-task-meta-"
REPLIES = ".reply.celery.pidbox"


@dataclass(frozen=True)
class Photo:
    """A photo that was sent to the API.

    Attributes
    ----------
    name
        Of its file.
    urgent
        Whether it was sent as such.
    good
        Whether it is a picture.
    status
        HTTP status of the answer.
    task_id
        What the answer says.
    behind
        Bulk photos that had been sent before, and were not in the album yet.
    """

    name: str
    urgent: bool
    good: bool
    status: int
    task_id: str | None = None
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """A task's message that waits, or that a worker has and did not acknowledge."""

    id: str
    queue: str
    tag: str | None
    tries: int
    text: str

    def is_of(self, photo: str) -> bool:
        """Say whether a photo's name is in its arguments."""
        return f'"{photo}"' in self.text


@dataclass(frozen=True)
class Letter:
    """A dead letter."""

    id: str
    photo: str
    tries: int
    why: str
    replay: bool


@dataclass(frozen=True)
class Evidence:
    """All that a report is made of.

    Attributes
    ----------
    photos
        Those that were sent, oldest first.
    stored
        Names of the pictures that the API keeps.
    album
        Photo of each row, in the order of writing.
    album_before
        The same, at the moment before bad pictures were mended.
    renditions
        Sizes of each photo that can be read.
    messages, letters, alerts, states
        What is left in the broker; what is in the dead letters; alerts by the letter's id;
        states of the tasks that the API sent.
    looks, parents
        How often a task was held in mid-work, and who was seen waiting for it.
    mended
        Bad photos that were replaced by good ones, and replayed.
    ended
        Whether nothing more will happen: nothing waits, and nothing runs.
    stuck
        Seconds without any change, if that is why the test has ended.
    """

    photos: tuple[Photo, ...]
    stored: frozenset[str] = frozenset()
    album: tuple[str, ...] = ()
    album_before: tuple[str, ...] = ()
    renditions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    letters: tuple[Letter, ...] = ()
    alerts: Counter[str] = field(default_factory=Counter)
    states: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    parents: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    ended: bool = False
    stuck: float | None = None

    @property
    def taken(self) -> list[Photo]:
        """Photos that the API has taken."""
        return [photo for photo in self.photos if photo.status == 202]

    @property
    def good(self) -> list[Photo]:
        """Good photos that the API has taken."""
        return [photo for photo in self.taken if photo.good]

    @property
    def bad(self) -> list[Photo]:
        """Bad pictures that the API has taken."""
        return [photo for photo in self.taken if not photo.good]


def messages(client: redis.Redis) -> list[Message]:
    """Return the messages of tasks in all queues, and those that workers hold."""
    found = []
    for raw in client.scan_iter(match="*", count=1000, _type="LIST"):
        key = raw.decode()
        queue = key.partition(PRIORITY)[0]
        if not queue.endswith(REPLIES):
            found += [_message(each, queue, None) for each in client.lrange(key, 0, -1)]
    # after the queues: a message that is taken meanwhile is then seen twice, and not missed
    unacked: Any = client.hgetall(UNACKED)
    for tag, held in unacked.items():
        with contextlib.suppress(ValueError, KeyError, IndexError):
            envelope, _exchange, queue = json.loads(held)
            found.append(_message(json.dumps(envelope), queue, tag.decode()))
    return [each for each in found if each is not None]


def states(client: redis.Redis, ids: list[str]) -> dict[str, str]:
    """Return the states that are stored of some tasks, by their ids."""
    found = {}
    raws: Any = client.mget([RESULTS + each for each in ids]) if ids else []
    for task_id, raw in zip(ids, raws, strict=True):
        with contextlib.suppress(ValueError, TypeError):
            found[task_id] = str(json.loads(raw)["status"])
    return found


def store(url: str) -> Any:
    """Return the store of dead letters at a broker."""
    return letters().default_store(STORE, broker_url=url, dead_letters_url=url)


def store_error() -> type[Exception]:
    """Return what the store raises while its server is away."""
    found: type[Exception] = letters().StoreError
    return found


def replay(url: str, client: Celery, letter_id: str) -> None:
    """Send the task of a dead letter again."""
    letters().replay(store(url), client, letter_id)


def dead_letters(url: str, names: list[str]) -> list[Letter]:
    """Return the dead letters, with the photo that each is about."""
    return [
        Letter(
            id=letter.id,
            photo=next((name for name in names if f"'{name}'" in letter.call), ""),
            tries=letter.retries + 1,
            why=_why(letter),
            replay=letter.replay_of is not None,
        )
        for letter in store(url).find()
    ]


def readable(folder: Path, name: str) -> tuple[str, ...]:
    """Return the sizes in which a photo is there and can be read."""
    path = folder / name
    return tuple(size for size in SIZES if _fits(path.with_name(f"{path.stem}_{size}{path.suffix}"), size))


def _why(letter: Any) -> str:
    if not letter.exception:
        return str(letter.kind)
    first, _, _ = letter.message.partition("\n")
    return f"{letter.exception.rpartition('.')[2]}: {first}"


def _fits(path: Path, size: str) -> bool:
    from PIL import Image

    width, _, height = size.partition("x")
    try:
        with Image.open(path) as picture:
            if picture.width > int(width) or picture.height > int(height):
                return False
            picture.load()
            return True
    # damaged files make Pillow's decoders raise all of these
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError):
        return False


def _message(raw: bytes | str, queue: str, tag: str | None) -> Message | None:
    try:
        envelope = json.loads(raw)
        headers, body = envelope["headers"], base64.b64decode(envelope["body"])
        return Message(
            id=str(headers["id"]),
            queue=queue,
            tag=tag,
            tries=int(headers.get("retries") or 0) + 1,
            text=body.decode(errors="replace"),
        )
    except (ValueError, KeyError, TypeError):
        return None
