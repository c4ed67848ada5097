"""Answers that say no, in one form."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from labtasks.web.api import texts
from labtasks.web.api.models import Problem

SOON = 2  # s after which to try again while the broker is away

RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
DESCRIBED: dict[int, dict[str, Any]] = {
    400: {"description": "The body can't be read."},
    401: {"description": "No key, or a wrong one."},
    404: {"description": "A task that was never sent from here, or whose result has expired."},
    409: {"description": "The task has ended already."},
    413: {"description": "The body is too large."},
    422: {"description": "The body is not what the task takes."},
    429: {"description": "Too many requests.", "headers": RETRY},
    503: {"description": "The broker is down.", "headers": RETRY},
}


class Refused(Exception):
    """The request gets an answer other than the one it asked for.

    Parameters
    ----------
    status
        The HTTP status.
    detail
        Why, for people.
    retry
        Seconds after which to try again.
    """

    def __init__(self, status: int, detail: str, retry: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry = status, detail, retry


class Away(Refused):
    """The broker, or the store of results, does not answer."""

    def __init__(self) -> None:
        super().__init__(503, texts.AWAY.format(seconds=SOON), SOON)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of these statuses."""
    return {status: {"model": Problem, **DESCRIBED[status]} for status in statuses}


def answer(refused: Refused) -> JSONResponse:
    """Return the HTTP answer."""
    headers = {}
    if refused.retry is not None:
        headers["Retry-After"] = str(refused.retry)
    if refused.status == 401:
        headers["WWW-Authenticate"] = "ApiKey"
    return problem(refused.status, refused.detail, headers=headers)


def problem(
    status: int,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an answer in the form of ``Problem``."""
    return Escaped({"detail": detail, "errors": errors or []}, status, dict(headers or {}))


class Escaped(JSONResponse):
    """JSON in ASCII: what the request held may be half of a character, which UTF-8 can't carry."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        import json

        return json.dumps(content, allow_nan=False).encode("ascii")
