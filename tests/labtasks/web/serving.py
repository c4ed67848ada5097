"""Serves the API, and talks to it as a client would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from celerylab import Lab
from celerylab.stack.broker import Broker
from celerylab.stack.server import Server
from celerylab.stack.waiting import wait_for

KEY = "a-key-for-these-tests-only"
HEADERS = {"X-API-Key": KEY}
# three ways to name it: a lab serves each name once
API, SECOND, THIRD = (
    "labtasks.web.api:api",
    "labtasks.web.api:create_app()",
    "labtasks.web.api.app:create_app()",
)
PATIENCE = 30.0  # s


@contextmanager
def served(
    lab: Lab, broker: Broker | None = None, target: str = API, **env: str
) -> Iterator[tuple[Server, httpx.Client]]:
    """Serve the API; give the server, and a client that has the key."""
    where = {"CELERYLAB_BROKER_URL": broker.url} if broker else {}
    settings = {"CELERYLAB_API_KEY": KEY, "CELERYLAB_API_RATE": "100000/minute", **where, **env}
    with (
        lab.serve(target, env=settings) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=PATIENCE) as client,
    ):
        yield server, client


def submit(client: httpx.Client, kind: str, **asked: Any) -> str:
    """Submit a task, and return its id."""
    answer = client.post(f"/tasks/{kind}", json=asked)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def ended(client: httpx.Client, task_id: str) -> dict[str, Any]:
    """Return a task once it has ended."""
    return until(client, task_id, lambda task: task["ended"])


def until(client: httpx.Client, task_id: str, true: Any) -> dict[str, Any]:
    """Return a task once something holds of it."""

    def look() -> list[dict[str, Any]]:
        task = client.get(f"/tasks/{task_id}").json()
        return [task] if true(task) else []

    return wait_for(1, f"{task_id} as it should be", look, PATIENCE)[0]
