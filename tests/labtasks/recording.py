"""What the tests of records share: a database of their own, a worker, a look at what is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from celerylab import Lab
from celerylab.stack.worker import Worker
from labtasks.database import engine
from labtasks.records import CeleryTaskRecord, WorkerLog

MODULE = "tests.labtasks.recorded"
QUEUE = "recorded"


@contextmanager
def database_at(url: str, **more: str) -> Iterator[None]:
    """Let this process and those that it starts use a database."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CELERYLAB_DATABASE_URL", url)
        for name, value in more.items():
            environment.setenv(name, value)
        yield
        engine().dispose()


@contextmanager
def running(lab: Lab, name: str = "recorded", **options: Any) -> Iterator[Worker]:
    worker = lab.worker(MODULE, name=name, **{"queues": [QUEUE], **options})
    try:
        yield worker
    finally:
        worker.kill()


def send(lab: Lab, task: str, *args: Any, **options: Any) -> Any:
    """Send a task whose name is its id, unless told otherwise."""
    options = {"task_id": task, "queue": QUEUE, **options}
    return lab.client.send_task(f"{MODULE}.{task}", args, **options)


def records() -> dict[str, CeleryTaskRecord]:
    with Session(engine(), expire_on_commit=False) as session:
        return {one.task_id: one for one in session.scalars(select(CeleryTaskRecord))}


def state_of(task_id: str) -> str | None:
    found = records().get(task_id)
    return found.state if found else None


def lines(task_id: str | None = None) -> list[WorkerLog]:
    with Session(engine(), expire_on_commit=False) as session:
        query = select(WorkerLog).order_by(WorkerLog.at, WorkerLog.id)
        return list(session.scalars(query.where(WorkerLog.task_id == task_id) if task_id else query))


def open_gate(lab: Lab, gate: str) -> None:
    lab.redis.lpush(f"{gate}:open", *["go"] * 10)


def begun(lab: Lab, gate: str) -> int:
    """Wait until a task stands at a gate, and return its process."""
    found = lab.redis.blpop(f"{gate}:begun", timeout=20)
    assert found, f"nothing came to {gate}"
    return int(found[1])
