"""Other people's services, called over HTTP."""

from typing import Any

from labtasks.app import app
from labtasks.http import post


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
    answer = post(url, payload)
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body
