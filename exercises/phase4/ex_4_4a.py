"""Exercise 4-4a: accept a task over HTTP, and know which ones were accepted."""

import json
from typing import Any
from uuid import uuid4

import httpx

from celerylab import lab
from celerylab.stack.control import client
from celerylab.stack.server import Server
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Accept, and know what you accepted"

TEXT = """
Replace the `...` in `api_4_4a.py` by two endpoints.

- `POST /sums` takes a JSON body such as `{"x": 2, "y": 3}`, sends `add`, and answers 202. Its header
  `Location` is the address of the sum, and ends with the task's id.
- `GET` of that address answers 200 with `state` and `result`. There is no result (`null`) until the state
  is `SUCCESS`.
- `GET` of an id that was not sent by `POST /sums` answers 404, even if Celery has a result for it.
- A body that is not two numbers is answered with 422, and nothing is sent.

`check` serves your module. It looks into the queue `exercise-4-4a`, plays the worker, and stores a result.
At last it serves your module anew, as if it had crashed: what was accepted before is still known.
"""

HINTS = [
    "A model of pydantic as the parameter of `POST` reads the body, and answers 422 by itself.",
    "Who knows an id before the worker has seen it, and after your process has died? There is a `redis`.",
    "Choose the id yourself: `uuid4()`. Write it down with an expiry, then `apply_async(..., task_id=...)`.",
]

FEEDBACK = {
    "right": (
        "Accepted with 202, followed from PENDING to SUCCESS, and known after a crash. What was never "
        "accepted is 404."
    ),
    "no_endpoint": "`POST /sums` answered {status}. The log of your service says: {log}",
    "not_accepted": "`POST /sums` answered {status}. The sum is not there yet: which status says so?",
    "no_location": "`Location` is {found!r}. It should end with the id of the task that was sent.",
    "no_message": "`POST /sums` answered 202. The queue `exercise-4-4a` holds {found} messages, not one.",
    "lost_pending": (
        "A task was accepted, and waits for a worker. `GET` of its address answered {status}. What does "
        "Celery know of a task that no worker has seen?"
    ),
    "wrong_answer": "With a task that is {state}, `GET` answered {found}. It should hold {expected}.",
    "unknown_found": (
        "`GET` with an id that was never sent answered {status}, {found}. Whoever mistypes an id waits for "
        "ever. Who could know that it was not sent?"
    ),
    "foreign_found": "Another program's task has a result. `GET` with its id answered {status}, not 404.",
    "bad_input": (
        'For the body `{{"x": "two"}}` your service answered {status}, and {n} messages were sent. It should '
        "be 422, and none."
    ),
    "forgotten": (
        "All was right, until your service was started anew. Then `GET` of a sum that it had accepted "
        "answered {status}. Where did it keep what it had sent?"
    ),
}

MODULE = """%%writefile api_4_4a.py
import os
from uuid import uuid4

from celery import Celery
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from redis import Redis

url = os.environ["CELERYLAB_BROKER_URL"]
celery = Celery("api_4_4a", broker=url, backend=url)
celery.conf.task_default_queue = "exercise-4-4a"
redis = Redis.from_url(url, decode_responses=True)
api = FastAPI()


@celery.task
def add(x, y):
    return x + y


class Sum(BaseModel):
    x: float
    y: float


@api.post("/sums", status_code=202)
def submit(asked: Sum, response: Response):
    task_id = str(uuid4())
    redis.set(f"sums:{task_id}", "sent", ex=86400)
    add.apply_async((asked.x, asked.y), task_id=task_id)
    response.headers["Location"] = f"/sums/{task_id}"
    return {"id": task_id}


@api.get("/sums/{task_id}")
def find(task_id: str):
    if not redis.exists(f"sums:{task_id}"):
        raise HTTPException(404)
    result = celery.AsyncResult(task_id)
    meta = result.backend.get_task_meta(task_id)
    value = meta["result"] if meta["status"] == "SUCCESS" else None
    return {"state": meta["status"], "result": value}
"""

SOLUTION = MODULE

_KEPT = '    redis.set(f"sums:{task_id}", "sent", ex=86400)\n'
_KNOWN = '    if not redis.exists(f"sums:{task_id}"):\n        raise HTTPException(404)\n'
_WITHOUT = MODULE.replace(_KEPT, "").replace(_KNOWN, "")

WRONG = {
    "not_accepted": MODULE.replace(", status_code=202", ""),
    "unknown_found": _WITHOUT,
    "lost_pending": _WITHOUT.replace(
        "    value =", '    if meta["status"] == "PENDING":\n        raise HTTPException(404)\n    value ='
    ),
    "forgotten": MODULE.replace(_KEPT, "    sent.add(task_id)\n")
    .replace(_KNOWN, "    if task_id not in sent:\n        raise HTTPException(404)\n")
    .replace("api = FastAPI()", "api = FastAPI()\nsent = set()"),
}

QUEUE = "exercise-4-4a"
SUM = 5.0
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Serve the learner's module, and be its client, its worker and its crash."""
    if unfinished(answer):
        return not_attempted()
    lab.redis.delete(QUEUE)
    try:
        with lab.serve(f"{answer}:api") as server, _client(server.url) as visitor:
            outcome, location = _ask(visitor, server)
        if outcome:
            return outcome
        with lab.serve(f"{answer}:api") as server, _client(server.url) as visitor:
            status = visitor.get(location).status_code
        return right() if status == 200 else not_right("forgotten", status=status)
    finally:
        lab.redis.delete(QUEUE)


def _ask(visitor: httpx.Client, server: Server) -> tuple[Outcome | None, str]:
    taken = visitor.post("/sums", json={"x": 2, "y": 3})
    if taken.status_code >= 400:
        return not_right("no_endpoint", status=taken.status_code, log=_last(server)), ""
    if taken.status_code != 202:
        return not_right("not_accepted", status=taken.status_code), ""
    sent = _sent()
    if len(sent) != 1:
        return not_right("no_message", found=len(sent)), ""
    location = taken.headers.get("Location", "")
    if not location.endswith(sent[0]):
        return not_right("no_location", found=location), ""
    return _follow(visitor, location, sent[0]) or _refuse(visitor, location, sent[0]), location


def _follow(visitor: httpx.Client, location: str, task_id: str) -> Outcome | None:
    """Look at a task that waits, then play the worker, and look again."""
    waiting = visitor.get(location)
    if waiting.status_code != 200:
        return not_right("lost_pending", status=waiting.status_code)
    steps: list[tuple[str, float | None]] = [("PENDING", None), ("STARTED", None), ("SUCCESS", SUM)]
    for state, result in steps:
        if state != "PENDING":
            client(lab.url).backend.store_result(task_id, result, state)
        found = visitor.get(location)
        expected = {"state": state, "result": result}
        body = found.json() if found.status_code == 200 else found.text
        if not isinstance(body, dict) or {key: body.get(key, "nothing") for key in expected} != expected:
            return not_right("wrong_answer", state=state, found=body, expected=expected)
    return None


def _refuse(visitor: httpx.Client, location: str, task_id: str) -> Outcome | None:
    """Ask for what was never accepted."""
    never = visitor.get(location.replace(task_id, str(uuid4())))
    if never.status_code != 404:
        return not_right("unknown_found", status=never.status_code, found=never.text)
    foreign = str(uuid4())
    client(lab.url).backend.store_result(foreign, SUM, "SUCCESS")
    status = visitor.get(location.replace(task_id, foreign)).status_code
    client(lab.url).backend.forget(foreign)
    if status != 404:
        return not_right("foreign_found", status=status)
    status = visitor.post("/sums", json={"x": "two"}).status_code
    more = len(_sent()) - 1
    return None if (status, more) == (422, 0) else not_right("bad_input", status=status, n=more)


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=TIMEOUT)


def _sent() -> list[str]:
    messages: Any = lab.redis.lrange(QUEUE, 0, -1)
    return [json.loads(message)["headers"]["id"] for message in messages]


def _last(server: Server) -> str:
    return (str(server.log()).splitlines() or ["nothing"])[-1]
