"""Looks at a task per second of the API, against the same API with nothing behind it."""

import asyncio

from bench.api_load import API, CONNECTIONS, MEMORY, Client, compare, per_second, served
from bench.row import Row
from celerylab import Lab
from celerylab.stack.server import Server


def measure() -> Row:
    """Ask for a task that has ended."""
    lab = Lab()
    lab.start()
    try:
        with served(lab, API) as ours, served(lab, MEMORY) as theirs:
            paths = {server: asyncio.run(ended(server)) for server in (ours, theirs)}
            return compare(
                f"looks at a task over {CONNECTIONS} connections, against the same app without Celery",
                lambda: per_second(ours, paths[ours]),
                lambda: per_second(theirs, paths[theirs]),
                "per s",
                limit=0.2,
                at_least=True,
            )
    finally:
        lab.stop()


async def ended(server: Server) -> str:
    """Return the path of a task that has ended."""
    client = await Client().open(server)
    path = f"/tasks/{await client.submit()}"
    while not (await client.ask("GET", path))["ended"]:
        await asyncio.sleep(0.01)
    client.close()
    return path
