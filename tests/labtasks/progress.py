"""Listens to what a task says of its progress, so that no report is missed, however short."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.states import READY_STATES

from celerylab import Lab


@contextmanager
def reported(lab: Lab, task_id: str) -> Iterator[list[dict[str, Any]]]:
    """Give a list that holds, after the block, each report of a task that ended within it.

    The result backend publishes each state on a channel of the task's own.
    """
    seen: list[dict[str, Any]] = []
    key = f"celery-task-meta-{task_id}"  # of the stored state as well
    lab.redis.delete(key)  # once a success is stored, no other state is stored or published
    with lab.redis.pubsub() as channel:
        channel.subscribe(key)
        assert channel.get_message(timeout=10)["type"] == "subscribe"
        yield seen
        while message := channel.get_message(timeout=10):
            found = json.loads(message["data"])
            if found["status"] in READY_STATES:
                return
            if found["status"] == "PROGRESS":
                seen.append(found["result"])
    raise AssertionError(f"{task_id} did not end")
