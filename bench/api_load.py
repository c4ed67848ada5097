"""Load for the API: requests over kept connections, with as little of a client as can be."""

import asyncio
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from time import perf_counter
from typing import Any

from bench.row import Row
from celerylab import Lab
from celerylab.stack.server import Server

KEY = "a-key-for-the-benchmark"
CONNECTIONS = 20
REQUESTS = 1000
WARM = 100
PAIRS = 5
API, MEMORY = "labtasks.web.api:api", "bench.api_memory:create()"

numbers = count()


@contextmanager
def served(lab: Lab, target: str, **env: str) -> Iterator[Server]:
    """Serve one of the two, with a rate that nobody exceeds."""
    settings = {"CELERYLAB_API_KEY": KEY, "CELERYLAB_API_RATE": "100000000/minute", **env}
    with lab.serve(target, env=settings) as server:
        yield server


class Client:
    """One connection that asks one thing after the other."""

    async def open(self, server: Server) -> "Client":
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(server.host, server.port)
        self._head = f"Host: {server.host}\r\nX-API-Key: {KEY}\r\n"
        return self

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return the JSON of an answer, which must be one of 2xx."""
        raw = b"" if body is None else json.dumps(body).encode()
        head = f"{self._head}Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + raw)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        size = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
        answer = await self._reader.readexactly(size)
        if first[9] != "2":
            raise RuntimeError(f"{first}: {answer.decode()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    async def submit(self) -> str:
        """Submit a sum, and return the task's id."""
        n = next(numbers)
        taken = await self.ask("POST", "/tasks/add", {"x": n, "y": n})
        return str(taken["id"])

    def close(self) -> None:
        """Leave."""
        self._writer.close()


def per_second(server: Server, path: str | None = None, requests: int = REQUESTS) -> float:
    """Return how many submits, or looks at a path, all connections together get answered."""

    async def ask(client: Client, times: int) -> None:
        for _ in range(times):
            await (client.ask("GET", path) if path else client.submit())

    async def run() -> float:
        clients = [await Client().open(server) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(ask(client, WARM // CONNECTIONS) for client in clients))
        began = perf_counter()
        await asyncio.gather(*(ask(client, requests // CONNECTIONS) for client in clients))
        spent = perf_counter() - began
        for client in clients:
            client.close()
        return requests / spent

    return asyncio.run(run())


def compare(
    what: str, ours: Callable[[], float], theirs: Callable[[], float], unit: str, limit: float, **row: Any
) -> Row:
    """Measure both sides in turn, and make a row of their medians."""
    pairs = [(ours(), theirs()) for _ in range(PAIRS)]
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    spread = f"ours {min(left):.4g} to {max(left):.4g}, theirs {min(right):.4g} to {max(right):.4g} {unit}"
    return Row(
        f"{what}, medians of {PAIRS} pairs",
        statistics.median(left),
        statistics.median(right),
        unit,
        limit,
        notes=(spread,),
        **row,
    )
