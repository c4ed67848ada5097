"""A server of photos, for lessons that download some: ``lab.serve("celerylab.samples.photos:app")``.

``/`` lists the photos' paths, ``/photos/1.jpg`` to ``/photos/64.jpg`` are photos, and
``/photos/broken.jpg`` is one that was cut short. There is nothing else.
"""

import asyncio
import functools
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from celerylab.samples import landscape

COUNT = 64
PHOTO = re.compile(r"/photos/([1-9][0-9]?|broken)\.jpg")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


async def app(scope: Message, _receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    """Answer a request, as ASGI has it."""
    if scope["type"] != "http":
        return
    status, kind, body = await asyncio.to_thread(answer, scope["path"])
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def answer(path: str) -> tuple[int, bytes, bytes]:
    """Return what is at a path: status, media type and content."""
    if path == "/":
        listed = [f"/photos/{number}.jpg" for number in range(1, COUNT + 1)]
        return 200, b"application/json", json.dumps(listed).encode()
    found = PHOTO.fullmatch(path)
    if found is None or (found[1] != "broken" and int(found[1]) > COUNT):
        return 404, b"application/json", json.dumps({"error": f"no photo {path}"}).encode()
    return 200, b"image/jpeg", broken() if found[1] == "broken" else photo(int(found[1]))


@functools.cache
def photo(number: int) -> bytes:
    """Return a photo, drawn at its first download."""
    return landscape.draw(number)


def broken() -> bytes:
    """Return the first third of a photo, as a transfer that broke off would leave it."""
    whole = photo(1)
    return whole[: len(whole) // 3]
