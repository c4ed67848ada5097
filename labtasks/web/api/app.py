"""The FastAPI app: endpoints, and what they answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response, Security, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from labtasks.settings import settings
from labtasks.web.api import site, texts
from labtasks.web.api.answers import Refused, answer, documented, problem
from labtasks.web.api.events import Sockets
from labtasks.web.api.guard import GUARDED, PASSED, Guard
from labtasks.web.api.hub import Hub
from labtasks.web.api.models import Add, Health, Long, Process, Task
from labtasks.web.api.service import CeleryService, Service

ALWAYS = (401, 429, 503)
LOCATION = {"Location": {"description": "Where to follow the task.", "schema": {"type": "string"}}}


def create_app(service: Service | None = None, guard: Guard | None = None) -> FastAPI:
    """Make the app, from the settings.

    Parameters
    ----------
    service
        Sends and finds tasks; Celery does if not given.
    guard
        Knows the key and counts requests, in the broker's Redis if not given.

    Raises
    ------
    SettingsError
        A setting is missing or wrong: no key, above all.
    """
    read = settings()
    guard = guard or Guard(read.api_key, read.api_rate, read.broker_url)
    celery = CeleryService(read) if service is None else None

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        hub = None
        if celery:
            celery.open()
            hub = Hub(celery.live) if celery.live else None
        app.state.service = service or celery
        app.state.sockets = Sockets(guard, app.state.service, hub)
        yield
        if hub:
            await hub.close()
        if celery:
            await celery.close()
        await guard.close()

    app = FastAPI(
        title="Celery Lab",
        version="1",
        summary=texts.SUMMARY,
        description=texts.DESCRIPTION,
        lifespan=running,
        docs_url=None,  # FastAPI's would fetch its scripts from the internet
        redoc_url=None,
    )
    app.include_router(tasks)
    app.include_router(service_itself)
    site.mount(app)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_middleware(guard.middleware)
    return app


# async, though they wait for nothing: FastAPI would run them in a thread each
async def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


Tasks = Annotated[Service, Depends(_service)]
# the guard has looked at it; this one tells the OpenAPI document
key = APIKeyHeader(name="X-API-Key", auto_error=False, description="The key of the service.")


async def _guarded(connection: HTTPConnection, _: Annotated[str | None, Security(key)]) -> None:
    # whatever way a request may find around the guard, it ends here
    if connection.scope["type"] == "http" and PASSED not in connection.scope:
        raise Refused(401, texts.KEY_MISSING)


tasks = APIRouter(prefix=GUARDED, tags=["tasks"], dependencies=[Depends(_guarded)])
service_itself = APIRouter(tags=["service"])

SUBMITTED = documented(*ALWAYS, 400, 413, 422) | {202: {"headers": LOCATION}}


@tasks.post("/add", status_code=202, responses=SUBMITTED)
async def add(asked: Add, service: Tasks, request: Request, response: Response) -> Task:
    """Add two numbers."""
    return _taken(await service.submit("add", (asked.x, asked.y)), request, response)


@tasks.post("/long", status_code=202, responses=SUBMITTED)
async def long(asked: Long, service: Tasks, request: Request, response: Response) -> Task:
    """Take so many seconds, and report progress all the while."""
    return _taken(await service.submit("long", (asked.seconds,)), request, response)


@tasks.post("/process", status_code=202, responses=SUBMITTED)
async def process(asked: Process, service: Tasks, request: Request, response: Response) -> Task:
    """Return count, total, mean and extremes of a list of numbers."""
    return _taken(await service.submit("process", (asked.data,)), request, response)


@tasks.get("/{task_id}", responses=documented(*ALWAYS, 404, 422))
async def find(task_id: str, service: Tasks) -> Task:
    """Tell state, progress and result of a task."""
    return await service.find(task_id)


@tasks.delete("/{task_id}", status_code=202, responses=documented(*ALWAYS, 404, 409, 422))
async def cancel(task_id: str, service: Tasks) -> Task:
    """Cancel a task: one that waits is dropped, the process of one that runs is ended."""
    return await service.cancel(task_id)


@tasks.websocket("/{task_id}/events")
async def events(socket: WebSocket, task_id: str) -> None:
    """Tell each change of a task."""
    sockets: Sockets = socket.app.state.sockets
    await sockets.serve(socket, task_id)


@service_itself.get("/health", responses=documented(503))
async def health(service: Tasks) -> Health:
    """Tell whether tasks can be sent."""
    await service.ping()
    return Health()


def _taken(task: Task, request: Request, response: Response) -> Task:
    # without scheme and host: what a client says of them in its Host header is not to be believed
    response.headers["Location"] = request.url_for("find", task_id=task.id).path
    return task


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return answer(error)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # without the input itself: it may hold what JSON can't carry
    errors = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()]
    return problem(422, texts.INVALID, errors)


async def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)
