"""Requests to other people's services."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labtasks.settings import settings

if TYPE_CHECKING:
    import ssl

    import httpx


def post(url: str, body: Any) -> "httpx.Response":
    """Post JSON, and return the answer, whatever its status.

    Parameters
    ----------
    url
        Where to.
    body
        What JSON can take.

    Raises
    ------
    httpx.HTTPError, httpx.InvalidURL
        No answer within the ``CELERYLAB_HTTP_TIMEOUT`` of the settings, nobody there, no address.
    """
    import httpx  # 0.1 s at a worker's start that only some tasks need

    return httpx.post(url, json=body, timeout=settings().http_timeout, verify=trust())


@lru_cache(maxsize=1)
def trust() -> "ssl.SSLContext":
    """Return the certificates to trust, read once a process: that takes longer than most requests."""
    import httpx

    return httpx.create_ssl_context()
