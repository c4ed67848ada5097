"""The upload of a photo service: keeps each picture that comes over HTTP, and sends one task for it.

``uvicorn labtasks.web.photos:api`` serves it. The task is sent by its name, so that this process
needs nothing of the workers' code. A picture is on the disk before its task is sent, and the task
is sent before the answer: who has the 202 can forget the picture.
"""

import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from celery import Celery
from fastapi import FastAPI, Header, HTTPException, Request

from labtasks.files import replacing
from labtasks.settings import SettingsError, settings
from labtasks.web.sending import BrokerDown, hurry, reaching

if TYPE_CHECKING:
    api: FastAPI

TASK = "photos.receive"
BULK, URGENT = "photos.bulk", "photos.urgent"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\.(jpg|png)")
Key = Annotated[str | None, Header()]
LARGEST = 20 * 2**20  # bytes


def create_app() -> FastAPI:
    """Make the app, from the settings.

    Raises
    ------
    SettingsError
        There is no ``CELERYLAB_API_KEY``: anybody could upload.
    """
    read = settings()
    if not read.api_key:
        raise SettingsError("CELERYLAB_API_KEY is not set: without a key anybody could upload here.")
    expected = read.api_key.encode()
    folder = read.work_folder / "photos"
    sender = Celery("labtasks.web.photos", set_as_current=False)
    # without results: with a backend, every task sent would open a subscription
    sender.conf.update(broker_url=read.broker_url, result_backend="disabled")
    hurry(sender)
    app = FastAPI(title="Photos", version="1", docs_url=None, redoc_url=None)

    def allow(key: str | None) -> None:
        if key is None or not hmac.compare_digest(key.encode("utf-8", "replace"), expected):
            raise HTTPException(401, "the key is missing, or wrong")

    def take(name: str, picture: bytes, urgent: bool) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / name) as draft:
            draft.write_bytes(picture)
        with reaching():
            return str(sender.send_task(TASK, (name,), queue=URGENT if urgent else BULK).id)

    @app.put("/photos/{name}", status_code=202)
    async def upload(
        name: str,
        request: Request,
        *,
        urgent: bool = False,
        x_api_key: Key = None,
    ) -> dict[str, Any]:
        """Keep a picture, and have it worked on; the same name again replaces it."""
        allow(x_api_key)
        if not NAME.fullmatch(name):
            raise HTTPException(422, "a name has letters, digits and -, and ends with .jpg or .png")
        picture = await _body(request)
        try:
            # what waits for disk or broker must not hold up the others
            task_id = await to_thread.run_sync(take, name, picture, urgent)
        except BrokerDown:
            raise HTTPException(503, "the broker is away: upload again", {"Retry-After": "2"}) from None
        return {"photo": name, "id": task_id}

    @app.get("/photos/{name}")
    async def find(name: str, x_api_key: Key = None) -> dict[str, Any]:
        """Tell which renditions of a photo there are."""
        allow(x_api_key)
        if not (NAME.fullmatch(name) and (folder / name).is_file()):
            raise HTTPException(404, "no such photo was uploaded")
        found = folder.glob(f"{Path(name).stem}_*x*{Path(name).suffix}")
        return {"photo": name, "renditions": sorted(path.name for path in found)}

    return app


async def _body(request: Request) -> bytes:
    kept = bytearray()
    async for piece in request.stream():
        kept += piece
        if len(kept) > LARGEST:
            raise HTTPException(413, f"at most {LARGEST} bytes")
    if not kept:
        raise HTTPException(422, "the body is the picture, and it is empty")
    return bytes(kept)


def __getattr__(name: str) -> Any:
    # made when a server asks for it: importing the module needs no settings
    if name == "api":
        globals()[name] = create_app()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
