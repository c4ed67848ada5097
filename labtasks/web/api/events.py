"""The WebSocket on which a page follows one task."""

import asyncio
import json
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from labtasks.web.api.answers import Refused
from labtasks.web.api.guard import Guard
from labtasks.web.api.hub import Hub, Inbox
from labtasks.web.api.models import Task
from labtasks.web.api.service import Service, updated

SOCKETS = 500  # of this process
GREETING = 5.0  # s until the key must have come
LONGEST_GREETING = 1000  # characters
HEARTBEAT = 5.0  # s
CLOSE = {401: 4401, 404: 4404, 429: 4429}  # what a status is as a reason to close
LATER = 1013


class Sockets:
    """All open sockets of this process.

    Parameters
    ----------
    guard
        Who may open one.
    service
        Knows the tasks.
    hub
        Tells their changes; ``None`` if the store of results tells nobody.
    """

    def __init__(self, guard: Guard, service: Service, hub: Hub | None) -> None:
        self._guard, self._service, self._hub = guard, service, hub
        self._open = 0

    async def serve(self, socket: WebSocket, task_id: str) -> None:
        """Follow a task until it has ended or the other side leaves."""
        await socket.accept()
        if self._hub is None or self._open >= SOCKETS:
            await socket.close(LATER)
            return
        self._open += 1
        try:
            await self._guard.allow(await _key(socket))
            await self._service.find(task_id)  # nobody listens for what there is not
            inbox = await self._hub.join(task_id)
            try:
                await self._follow(socket, task_id, inbox)
            finally:
                await self._hub.leave(task_id, inbox)
        except Refused as refused:
            await _close(socket, CLOSE.get(refused.status, LATER))
        except (WebSocketDisconnect, RuntimeError):
            pass  # they left; to send then is an error of either kind
        finally:
            self._open -= 1

    async def _follow(self, socket: WebSocket, task_id: str, inbox: Inbox) -> None:
        # read again, now that the inbox is open: what happens in between comes twice rather than never
        task = await self._service.find(task_id)
        await _tell(socket, task)
        leaving = asyncio.create_task(_left(socket))
        try:
            while not task.ended:
                record = asyncio.create_task(inbox.get())
                await asyncio.wait({record, leaving}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done():
                    record.cancel()
                    return
                if not record.done():
                    record.cancel()
                    # a record that was lost with a connection is found here
                    found = await self._service.find(task_id)
                    await (socket.send_json({"heartbeat": True}) if found == task else _tell(socket, found))
                    task = found
                    continue
                meta = record.result()
                if meta is None:
                    await _close(socket, LATER)
                    return
                found = updated(task, meta)
                if found != task:
                    await _tell(socket, found)
                task = found
        finally:
            leaving.cancel()
        await _close(socket, 1000)


async def _key(socket: WebSocket) -> str | None:
    """Return the key in the first message."""
    # KeyError: bytes came instead of text
    with suppress(TimeoutError, ValueError, KeyError):
        async with asyncio.timeout(GREETING):
            said = await socket.receive_text()
        found = json.loads(said) if len(said) <= LONGEST_GREETING else None
        if isinstance(found, dict) and isinstance(found.get("key"), str):
            return str(found["key"])
    return None


async def _left(socket: WebSocket) -> None:
    """Return when the other side has closed; what else it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _tell(socket: WebSocket, task: Task) -> None:
    await socket.send_text(task.model_dump_json())


async def _close(socket: WebSocket, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code)
