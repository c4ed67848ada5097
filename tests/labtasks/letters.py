"""What the tests of dead letters share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from labtasks.dead_letters import DeadLetter
from labtasks.dead_letters.letter import pack

FAILING = "tests.labtasks.failing"
ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC).timestamp()


def letter(letter_id: str, **known: Any) -> DeadLetter:
    packed = pack(known.pop("args", ()), known.pop("kwargs", {}))
    return DeadLetter(id=letter_id, **{"task": "t", "kind": "exception", "failed_at": NOW, **packed, **known})


@contextmanager
def running(lab: Lab, name: str, *, env: dict[str, str] | None = None, **options: Any) -> Iterator[Worker]:
    """Run the failing app with a store of that name; end it without waiting for what it still does."""
    worker = lab.worker(FAILING, env={"FAILING_NAME": name, **(env or {})}, **options)
    try:
        yield worker
    finally:
        worker.kill()


def send(lab: Lab, name: str, *args: Any, **options: Any) -> Any:
    """Send a task of the failing app, under its name as id."""
    return lab.client.send_task(f"{FAILING}.{name}", args, **{"task_id": name} | options)


def until(holds: Callable[[], bool]) -> None:
    wait_for(1, "moment", lambda: [True] if holds() else [], 20)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
