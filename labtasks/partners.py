"""Other people's services, called over HTTP."""

from typing import Any

from labtasks.app import app
from labtasks.settings import settings


@app.task
def call_slow_api(url: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Post JSON to a service, however long it takes to answer.

    Parameters
    ----------
    url
        Where to.
    payload
        The request's body.

    Returns
    -------
    dict
        The answer's body.

    Raises
    ------
    httpx.TimeoutException
        No answer within the ``CELERYLAB_HTTP_TIMEOUT`` of the settings.
    httpx.HTTPStatusError
        The service answered with an error.
    """
    import httpx  # 0.1 s at a worker's start that only this task needs

    answer = httpx.post(url, json=payload, timeout=settings().http_timeout)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body
