"""Exercise 4-4b: an API that says at once that its broker is away, and goes on with the rest."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from celerylab import lab
from celerylab.stack.broker import Broker
from celerylab.stack.server import Server
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Stay awake while the broker sleeps"

TEXT = """
Write `submit` in `api_4_4b.py`. You may change how it is defined, and add lines above it.

- It sends `add(x, y)`, and returns the task's id as `{"id": ...}`, with 202.
- While the broker does not answer, it answers 503 with a header `Retry-After`, in 5 seconds at most.
- `GET /hello` is answered meanwhile.

`check` serves your module with a broker of its own, and submits. Then it stops the broker's process, so that
the broker takes connections and never answers. One client submits, another says hello, over and over. The
hellos that are answered before the submit are counted. At last the broker goes on, and a new submit must
reach the queue.
"""

HINTS = [
    "In which thread does FastAPI run an `async def`? And a `def`?",
    "`hurry(celery)` makes Celery impatient in this process; `send` raises `BrokerDown`.",
    '`HTTPException` has a parameter `headers`: `{"Retry-After": "2"}`.',
]

FEEDBACK = {
    "right": (
        "While the broker slept, a submit got 503 with `Retry-After`, and {n} hellos or more were answered "
        "meanwhile. Then it went on, and so did your service."
    ),
    "no_task": "While the broker ran, `POST /sums?x=2&y=3` answered {status}. The log says: {log}",
    "no_message": "`submit` returned {found!r}, and no message with that id is in the queue `exercise-4-4b`.",
    "kept_waiting": (
        "The broker slept, and a submit had no answer after {seconds:g} s. How long does Celery try, and who "
        "could tell it to hurry?"
    ),
    "not_503": "The broker slept, and a submit was answered with {status}. The log says: {log}",
    "no_retry_after": "503 came, with {found!r} as `Retry-After`. When shall the client come back?",
    "blocked": (
        "The broker slept. While one client waited for its submit, another one got {n} hellos. Who runs "
        "`submit`, and who else waits for the same thread?"
    ),
    "not_back": "The broker went on, and a submit was answered with {status}. What is left of the bad times?",
}

MODULE = """%%writefile api_4_4b.py
import os

from celery import Celery
from fastapi import FastAPI, HTTPException

from labtasks.web.sending import BrokerDown, hurry, send

url = os.environ["CELERYLAB_BROKER_URL"]
celery = Celery("api_4_4b", broker=url, backend=url)
celery.conf.task_default_queue = "exercise-4-4b"
hurry(celery)
api = FastAPI()


@celery.task
def add(x, y):
    return x + y


@api.get("/hello")
async def hello():
    return "hello"


@api.post("/sums", status_code=202)
def submit(x: float, y: float):
    try:
        return {"id": send(add, (x, y)).id}
    except BrokerDown:
        raise HTTPException(503, headers={"Retry-After": "2"}) from None
"""

SOLUTION = MODULE

WRONG = {
    "kept_waiting": MODULE.replace("hurry(celery)\n", "")
    .replace("send(add, (x, y)).id", "add.delay(x, y).id")
    .replace("except BrokerDown:", "except Exception:"),
    "blocked": MODULE.replace("def submit", "async def submit"),
    "not_503": MODULE.replace("except BrokerDown:", "except ConnectionError:"),
}

QUEUE = "exercise-4-4b"
SOON = 5.0  # s
AT_ONCE = 0.5  # s: who is that quick makes nobody wait
HELLOS = 8  # a thread that is blocked answers none, or the first few, before the submit arrives
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Serve the learner's module with a broker that falls asleep, and wakes up again."""
    if unfinished(answer):
        return not_attempted()
    with (
        lab.broker() as broker,
        lab.serve(f"{answer}:api", env={"CELERYLAB_BROKER_URL": broker.url}) as server,
        httpx.Client(base_url=server.url, timeout=TIMEOUT) as client,
    ):
        try:
            first = _submit(client, TIMEOUT)
            if first.status_code != 202:
                return not_right("no_task", status=first.status_code, log=_last(server))
            if not _reached(broker, first):
                return not_right("no_message", found=first.json())
            os.kill(broker.process.pid, signal.SIGSTOP)
            slept, hellos, spent = _while_asleep(client)
            os.kill(broker.process.pid, signal.SIGCONT)
            if hellos < HELLOS and spent > AT_ONCE:
                return not_right("blocked", n=hellos)
            if slept is None:
                return not_right("kept_waiting", seconds=SOON)
            if slept.status_code != 503:
                return not_right("not_503", status=slept.status_code, log=_last(server))
            if not slept.headers.get("Retry-After", "").isdecimal():
                return not_right("no_retry_after", found=slept.headers.get("Retry-After"))
            last = _submit(client, TIMEOUT)
            if last.status_code != 202 or not _reached(broker, last):
                return not_right("not_back", status=last.status_code)
            return right(n=HELLOS)
        finally:
            server.kill()  # it may still wait for the broker
            broker.kill()


def _while_asleep(client: httpx.Client) -> tuple[httpx.Response | None, int, float]:
    """Submit, and say hello meanwhile; return the answer, the hellos answered before, the seconds it took."""
    hellos, began = 0, time.monotonic()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(_submit, client, SOON)
        while not waiting.done():
            try:
                client.get("/hello", timeout=SOON)
            except httpx.TimeoutException:
                break
            hellos += not waiting.done()
        try:
            return waiting.result(), hellos, time.monotonic() - began
        except httpx.TimeoutException:
            return None, hellos, time.monotonic() - began


def _submit(client: httpx.Client, timeout: float) -> httpx.Response:
    return client.post("/sums", params={"x": 2, "y": 3}, timeout=timeout)


def _last(server: Server) -> str:
    return (str(server.log()).splitlines() or ["nothing"])[-1]


def _reached(broker: Broker, answer: httpx.Response) -> bool:
    body = answer.json()
    sent = [json.loads(message)["headers"]["id"] for message in broker.redis().lrange(QUEUE, 0, -1)]
    return isinstance(body, dict) and body.get("id") in sent
