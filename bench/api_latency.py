"""From HTTP submit to result over the WebSocket, against ``delay().get()``."""

import asyncio
import json
import statistics
from time import perf_counter

from websockets.asyncio.client import connect

from bench.api_load import API, KEY, Client, compare, numbers, served
from bench.row import Row
from celerylab import Lab
from celerylab.stack.server import Server

TASKS = 200
WARM = 20


def measure() -> Row:
    """Send one task at a time to the same worker."""
    lab = Lab()
    lab.start()
    try:
        with served(lab, API) as server:
            return compare(
                f"p95 from HTTP submit to result, {TASKS} tasks, against delay().get()",
                lambda: asyncio.run(over_http(server)),
                lambda: directly(lab),
                "ms",
                limit=8,
            )
    finally:
        lab.stop()


async def over_http(server: Server) -> float:
    """Submit, then listen to the task until it has ended."""
    client = await Client().open(server)
    spent = []
    for _ in range(WARM + TASKS):
        began = perf_counter()
        address = f"ws://{server.host}:{server.port}/tasks/{await client.submit()}/events"
        async with connect(address, proxy=None, compression=None) as socket:
            await socket.send(json.dumps({"key": KEY}))
            while not json.loads(await socket.recv()).get("ended"):
                pass
        spent.append(perf_counter() - began)
    client.close()
    return p95(spent)


def directly(lab: Lab) -> float:
    """Send, then wait for the result as Celery does."""
    client, spent = lab.client, []
    for _ in range(WARM + TASKS):
        n, began = next(numbers), perf_counter()
        client.send_task("labtasks.basics.add", (n, n), queue="labtasks").get(timeout=60)
        spent.append(perf_counter() - began)
    return p95(spent)


def p95(spent: list[float]) -> float:
    """Return milliseconds that 95 of 100 did not exceed."""
    return statistics.quantiles(spent[WARM:], n=20)[-1] * 1000
