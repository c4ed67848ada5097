"""Requests to other people's services."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labtasks.settings import settings

if TYPE_CHECKING:
    import ssl

    import httpx


class NotTaken(Exception):
    """Nobody took what was posted; says why in one line."""


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


def tell(url: str, body: Any) -> None:
    """Post JSON to a receiver that has to take it.

    Raises
    ------
    NotTaken
        The receiver could not be reached, or answered with an error.
    """
    import httpx

    try:
        post(url, body).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTaken(str(error).partition("\n")[0] or type(error).__name__) from None


@lru_cache(maxsize=1)
def trust() -> "ssl.SSLContext":
    """Return the certificates to trust, read once a process: that takes longer than most requests."""
    import httpx

    return httpx.create_ssl_context()
