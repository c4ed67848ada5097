import time

import pytest

from celerylab.errors import Timeout
from celerylab.views.watch import Watch


def watch_with(*kinds: str, others: str | None = None) -> Watch:
    seen = Watch("redis://127.0.0.1:1/0", others=others)
    for kind in kinds:
        event = {"type": kind, "uuid": "a", "name": "t", "args": "()", "hostname": "w@lab"}
        seen._on_event({**event, "timestamp": time.time()})
    return seen


def test_until_when_state_is_reached() -> None:
    watch_with("task-received", "task-started").until("STARTED", "a", timeout=0)


@pytest.mark.parametrize(("task_id", "said"), [("a", "it was RECEIVED"), ("b", "it was not heard of")])
def test_until_when_state_never_comes(task_id: str, said: str) -> None:
    with pytest.raises(Timeout, match=said):
        watch_with("task-received").until("STARTED", task_id, timeout=0.05)


def test_runs_when_a_task_ended_before_the_block() -> None:
    assert len(watch_with("task-failed")) == 0


def test_runs_when_a_task_was_running_before_the_block() -> None:
    assert [run.state for run in watch_with("task-started", "task-succeeded")] == ["SUCCESS"]


def test_runs_when_somebody_else_sends_tasks_meanwhile() -> None:
    kinds = "task-received", "task-started", "task-succeeded"
    assert len(watch_with(*kinds, others="t")) == 0
    assert len(watch_with(*kinds, others="u")) == 1
