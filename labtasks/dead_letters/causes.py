"""From what Celery tells of a failure to a dead letter.

Source: Celery's ``celery/app/trace.py``, ``celery/worker/request.py`` and
``celery/worker/consumer/consumer.py``, which send the signals.
"""

import time
import traceback as tracebacks
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import msgspec
from celery.app.task import Context
from celery.exceptions import Reject
from celery.utils.saferepr import saferepr

from labtasks.dead_letters import kinds
from labtasks.dead_letters.letter import SHOWN, DeadLetter, pack, pack_options

TRACEBACK = 20_000  # characters of a traceback, its end
REPLAY_OF, REPLAYS = "replay_of", "replays"  # headers of a replay
_NOT_REGISTERED = {
    "exception": "celery.exceptions.NotRegistered",
    "message": "the worker knows no task of that name",
}
BY_TYPE = {
    "billiard.exceptions.SoftTimeLimitExceeded": kinds.SOFT_LIMIT,
    "billiard.exceptions.TimeLimitExceeded": kinds.HARD_LIMIT,
    "billiard.exceptions.WorkerLostError": kinds.PROCESS_LOST,
    "celery.exceptions.Reject": kinds.REJECTED,
}


def failed(
    task: Any, task_id: str, error: Any, known: Mapping[str, Any], received: Mapping[str, Any]
) -> DeadLetter | None:
    """Make a letter of what ``task_failure`` tells; ``None`` if that is not the end of it.

    Parameters
    ----------
    task, task_id, error, known
        As the signal gives them.
    received
        Requests of this process by task id: in a worker's main process, the task at hand does
        not always know its own.
    """
    request = task.request
    if request.id != task_id:
        request = received[task_id]._context if task_id in received else Context(id=task_id)
    if request.is_eager:
        return None  # whoever called it has the exception in hand
    kind = kind_of(error, known.get("traceback"))
    if kind == kinds.HARD_LIMIT and task.acks_late and not task.acks_on_timeout:
        return None  # it goes back to the queue
    return of_request(task.name, task_id, kind, request, known, error)


def broken(task: Any, task_id: str, error: Any, known: Mapping[str, Any]) -> DeadLetter | None:
    """Make a letter of what ``task_internal_error`` tells: a result that could not be stored, say."""
    request = Context(known.get("request") or {})
    if request.is_eager:
        return None
    return of_request(task.name, task_id, kinds.INTERNAL_ERROR, request, known, error)


def revoked(task: Any, request: Any, how: Mapping[str, Any]) -> DeadLetter:
    """Make a letter of what ``task_revoked`` tells."""
    if how.get("expired"):
        kind, message = kinds.EXPIRED, f"no worker had begun it by {request.expires}"
    elif how.get("terminated"):
        kind, message = kinds.TERMINATED, f"ended by signal {how.get('signum')}"
    else:
        kind, message = kinds.REVOKED, "revoked before it began"
    letter = of_request(task.name, request.id, kind, request, vars(request), None)
    return msgspec.structs.replace(letter, message=message)


def unread(consumer: Any, message: Any, kind: str, error: object) -> DeadLetter:
    """Make a letter of a message that no task took."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    fields = _sent(headers, message.delivery_info or {})
    fields["priority"] = (message.properties or {}).get("priority")
    try:
        # refused content raises here, and is never unpacked
        args, kwargs, embed = message.payload
        fields |= {**pack(args, kwargs), **pack_options({**_follows(embed), **_options(headers)})}
    except Exception as problem:  # noqa: BLE001  # whatever it holds
        call = f"{headers.get('argsrepr', '')} {headers.get('kwargsrepr', '')}".strip()
        fields |= {
            "call": call[:SHOWN] or saferepr(message.body, SHOWN),
            "problem": f"its message can't be read: {str(problem)[:SHOWN]}",
            "arguments": None,
        }
    return DeadLetter(
        id=_clean(headers.get("id") or message.delivery_tag),
        task=str(headers.get("task") or ""),
        kind=kind,
        failed_at=time.time(),
        node=consumer.hostname,
        **fields | (_NOT_REGISTERED if kind == kinds.NOT_REGISTERED else of_exception(error)),
    )


def of_request(
    task: str, task_id: str, kind: str, request: Any, known: Mapping[str, Any], error: object
) -> DeadLetter:
    """Make a letter of a task.

    Parameters
    ----------
    task, task_id
        Name and id.
    kind
        How it failed.
    request
        Celery's ``Context`` of it.
    known
        ``args`` and ``kwargs``; ``traceback`` and ``einfo`` if there are any.
    error
        The exception, if there was one.
    """
    fields = pack(known.get("args"), known.get("kwargs"))
    fields |= _sent(vars(request), request.delivery_info or {})
    return DeadLetter(
        id=_clean(task_id),
        task=task,
        kind=kind,
        failed_at=time.time(),
        traceback=of_traceback(known.get("traceback"), known.get("einfo")),
        node=request.hostname or "",
        **fields | of_exception(error),
    )


def of_exception(error: object) -> dict[str, str]:
    """Return the fields of a letter that tell of an exception, if there was one."""
    if error is None:
        return {}
    kind = type(error)
    module, name = kind.__module__, kind.__qualname__
    if name == "UnpickleableExceptionWrapper":  # what Celery makes of one that pickle can't take
        module, name = error.exc_module, error.exc_cls_name  # type: ignore[attr-defined]
    try:
        message = str(error.reason if isinstance(error, Reject) else error)
    except Exception:  # noqa: BLE001  # a __str__ of anybody's
        message = "(its text can't be shown)"
    return {
        "exception": name if module == "builtins" else f"{module}.{name}",
        "message": message[:SHOWN],
    }


def of_traceback(traceback: object, einfo: Any) -> str:
    """Return a traceback as text, however a signal gives it."""
    text = getattr(einfo, "traceback", None) or traceback
    if isinstance(text, TracebackType):
        text = "".join(tracebacks.format_tb(text))
    return str(text or "")[-TRACEBACK:]


def kind_of(error: object, traceback: object) -> str:
    """Say which kind of failure an exception is."""
    kind = type(error)
    full = f"{kind.__module__}.{kind.__qualname__}"
    if full == "kombu.exceptions.EncodeError" and _raised_by_backend(traceback):
        return kinds.BAD_RESULT
    return BY_TYPE.get(full, kinds.EXCEPTION)


def _raised_by_backend(traceback: object) -> bool:
    """Say whether the result could not be stored, and not something that the task itself sent."""
    frame = getattr(traceback, "tb_next", None)
    return frame is not None and frame.tb_frame.f_code.co_name == "mark_as_done"


def _sent(headers: Mapping[str, Any], delivery: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a letter that tell how a task was sent."""
    return {
        "exchange": delivery.get("exchange") or "",
        "routing_key": delivery.get("routing_key") or "",
        "priority": delivery.get("priority"),
        "retries": headers.get("retries") or 0,
        "root_id": headers.get("root_id"),
        "parent_id": headers.get("parent_id"),
        "replay_of": headers.get(REPLAY_OF),
        "replays": headers.get(REPLAYS) or 0,
        **pack_options({**_follows(headers), **_options(headers)}),
    }


def _options(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {"ignore_result": headers.get("ignore_result"), "shadow": headers.get("shadow")}


def _follows(embed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to come after the task.

    Not the chord that it may be part of: that has failed, and counts its parts no more.
    """
    return {
        "chain": embed.get("chain"),
        "link": embed.get("callbacks"),
        "link_error": embed.get("errbacks"),
    }


def _clean(task_id: object) -> str:
    # half a character, which JSON can name and Redis can't
    return str(task_id).encode("utf-8", "replace").decode()
