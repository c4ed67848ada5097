"""Many clients at once: none is turned away, and no task is lost."""

import asyncio
from typing import Any

import httpx

from celerylab import Lab
from tests.labtasks.web.serving import HEADERS, served

CLIENTS = 200
TIMEOUT = 60.0  # s


async def task_of(url: str, number: int, ready: asyncio.Event) -> dict[str, Any]:
    """Submit a task over a connection of one's own, and ask for it until it has ended."""
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=TIMEOUT, verify=False) as client:
        await ready.wait()
        taken = await client.post("/tasks/add", json={"x": number, "y": 0.5})
        assert taken.status_code == 202, taken.text
        while True:
            found = await client.get(taken.headers["Location"])
            assert found.status_code == 200, found.text
            task: dict[str, Any] = found.json()
            if task["ended"]:
                return task
            await asyncio.sleep(0.05)


async def crowd(url: str) -> list[dict[str, Any]]:
    ready = asyncio.Event()
    clients = [asyncio.create_task(task_of(url, number, ready)) for number in range(CLIENTS)]
    await asyncio.sleep(0)
    ready.set()
    return await asyncio.wait_for(asyncio.gather(*clients), TIMEOUT)


def test_200_clients_at_once_each_get_the_result_of_their_own_task(lab: Lab) -> None:
    with served(lab) as (server, _):
        tasks = asyncio.run(crowd(server.url))
    assert [(task["state"], task["result"]) for task in tasks] == [
        ("SUCCESS", number + 0.5) for number in range(CLIENTS)
    ]
    assert len({task["id"] for task in tasks}) == CLIENTS
