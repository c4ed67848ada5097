"""A server of photos that counts: ``lab.serve("exercises.phase2.site_2_5:app")``.

The photos are those of the lesson. ``/asked`` answers with the paths that were asked for, as JSON.
"""

import json
from collections.abc import Awaitable, Callable

from celerylab.samples import photos
from celerylab.samples.photos import Message, Send

TARGET = "exercises.phase2.site_2_5:app"
asked: list[str] = []


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    """Take note of the path, and let the server of photos answer."""
    if scope.get("path") != "/asked":
        if scope["type"] == "http":
            asked.append(scope["path"])
        await photos.app(scope, receive, send)
        return
    body = json.dumps(asked).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
