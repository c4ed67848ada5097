"""What became of a task, read without holding up the event loop."""

from typing import Any, Protocol

from anyio import CapacityLimiter, to_thread
from celery import Celery
from celery.states import EXCEPTION_STATES, PENDING, READY_STATES, SUCCESS
from redis.asyncio import Redis

from labtasks.web.api.connecting import AT_ONCE
from labtasks.web.api.models import Failure, Progress
from labtasks.web.sending import reaching

LONGEST_MESSAGE = 1000  # characters

Meta = dict[str, Any]


class Results(Protocol):
    """Where states and results lie."""

    async def get(self, task_id: str) -> Meta | None:
        """Return Celery's record of a task, or ``None`` if there is none."""


class InRedis:
    """A Redis backend, read by a client that does not block."""

    def __init__(self, app: Celery, redis: "Redis") -> None:
        self._backend, self.redis = app.backend, redis

    def key(self, task_id: str) -> str:
        """Return the key of a record, and the channel on which each new one is published."""
        return self._backend.get_key_for_task(task_id).decode()  # type: ignore[no-any-return]

    def decode(self, raw: bytes | str) -> Meta:
        """Return a record as it was before it was stored."""
        return self._backend.decode_result(raw)  # type: ignore[no-any-return]

    async def get(self, task_id: str) -> Meta | None:
        """Return Celery's record of a task, or ``None`` if there is none."""
        raw = await self.redis.get(self.key(task_id))
        return None if raw is None else self.decode(raw)


class Elsewhere:
    """Any other backend, a database say, read by Celery in a thread."""

    def __init__(self, app: Celery) -> None:
        self._backend = app.backend
        self._threads: CapacityLimiter | None = None

    async def get(self, task_id: str) -> Meta | None:
        """Return Celery's record of a task, or ``None`` if there is none."""

        def read() -> Meta:
            with reaching():
                return self._backend.get_task_meta(task_id, cache=False)  # type: ignore[no-any-return]

        self._threads = self._threads or CapacityLimiter(AT_ONCE)
        found = await to_thread.run_sync(read, limiter=self._threads, abandon_on_cancel=True)
        return None if found["status"] == PENDING else found


def described(meta: Meta | None) -> dict[str, Any]:
    """Return those fields of ``Task`` that a record tells."""
    state, value = (PENDING, None) if meta is None else (meta["status"], meta["result"])
    fields: dict[str, Any] = {"state": state, "ended": state in READY_STATES}
    if state == SUCCESS:
        fields["result"] = value
    elif state in EXCEPTION_STATES:
        fields["error"] = Failure(type=type(value).__name__, message=str(value)[:LONGEST_MESSAGE])
    elif isinstance(value, dict) and {"current", "total"} <= value.keys():
        fields["progress"] = Progress(current=value["current"], total=value["total"])
    return fields
