"""Events put together to runs, and runs put into lanes."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celerylab.views.runs import Run, Runs
from celerylab.views.timeline import NOWHERE, columns, lanes, timeline, united

PNG = b"\x89PNG"


def event(kind: str, at: float, task_id: str = "a", worker: str = "w@lab", **more: Any) -> dict[str, Any]:
    return {"type": f"task-{kind}", "uuid": task_id, "timestamp": at, "hostname": worker, **more}


def received(at: float, task_id: str = "a", worker: str = "w@lab") -> dict[str, Any]:
    return event("received", at, task_id, worker, name="m.add", args="(1, 2)")


def recorded(*events: dict[str, Any]) -> list[Run]:
    runs = Runs()
    for each in events:
        runs.event(each)
    return list(runs)


def test_one_run_has_all_its_times() -> None:
    runs = Runs()
    runs.sent("a", "m.add", "(1, 2)", 1.0)
    for each in (received(2.0), event("started", 4.0, process=7), event("succeeded", 5.5)):
        runs.event(each)
    (run,) = runs
    assert (run.waited, run.ran, run.process, run.state, run.final) == (3.0, 1.5, 7, "SUCCESS", True)
    assert not runs.open_ids()


def test_each_retry_is_a_run_of_its_own() -> None:
    first, second = recorded(
        received(1),
        event("started", 2),
        event("retried", 3),
        received(4),
        event("started", 5),
        event("failed", 6),
    )
    assert (first.state, first.final, second.state, second.final) == ("RETRY", False, "FAILURE", True)
    assert second.task == "m.add"


def test_a_retry_received_before_the_first_run_ended_is_not_its_end() -> None:
    first, second = recorded(
        received(1),
        event("started", 2),
        received(3),
        event("retried", 4),
        event("started", 5),
        event("succeeded", 6),
    )
    assert (first.state, first.finished, second.state, second.started) == ("RETRY", 4, "SUCCESS", 5)


def test_a_task_that_two_workers_run_at_once_is_two_runs() -> None:
    first, second = recorded(
        received(1, worker="one@lab"),
        event("started", 2, worker="one@lab", process=1),
        received(3, worker="two@lab"),
        event("started", 4, worker="two@lab", process=2),
        event("succeeded", 5, worker="one@lab"),
        event("succeeded", 6, worker="two@lab"),
    )
    assert (first.worker, first.ran, second.worker, second.ran) == ("one@lab", 3, "two@lab", 2)


def test_a_task_that_became_a_chord_ends_with_what_it_sent_and_the_body_has_its_id() -> None:
    outer, body, header = recorded(
        received(1),
        event("started", 2, process=7),
        {**received(3, "header"), "parent_id": "a"},
        event("started", 4, "header", process=7),
        event("succeeded", 5, "header"),
        {**received(6), "name": "m.body", "parent_id": "header"},
        event("started", 7, process=7),
        event("succeeded", 8),
    )
    assert (outer.task, outer.state, outer.finished) == ("m.add", "REPLACED", 3)
    assert (body.task, body.state, body.started, body.finished) == ("m.body", "SUCCESS", 7, 8)
    assert header.state == "SUCCESS"
    assert lanes([outer, body, header]) == [("w@lab", 1)] * 3


def test_a_task_that_became_another_on_another_worker_ends_when_that_was_received() -> None:
    first, second = recorded(
        received(1),
        event("started", 2),
        {**received(3, worker="two@lab"), "name": "m.other"},
        event("started", 4, worker="two@lab"),
    )
    assert (first.state, first.finished, second.state, second.worker) == ("REPLACED", 3, "STARTED", "two@lab")


def test_a_revoked_task_ends_without_having_started() -> None:
    (run,) = recorded(received(1), event("revoked", 2, terminated=False))
    assert (run.state, run.started, run.ran, run.final) == ("REVOKED", None, None, True)


def test_a_task_nobody_takes_stays_open_in_a_lane_of_its_own() -> None:
    runs = Runs()
    runs.sent("a", "m.add", "()", 1.0)
    assert runs.open_ids() == {"a"}
    assert lanes(list(runs)) == [NOWHERE]


def span(worker: str, process: int, start: float, end: float) -> Run:
    return Run("x", "m.t", "()", worker, process, start, start, start, end, "SUCCESS")


def test_processes_are_lanes_in_the_order_of_their_ids() -> None:
    runs = [span("w", 9, 0, 1), span("w", 8, 0, 1), span("w", 9, 1, 2), span("v", 9, 0, 1)]
    assert lanes(runs) == [("w", 2), ("w", 1), ("w", 2), ("v", 1)]


def test_threads_of_one_process_get_lanes_as_they_overlap() -> None:
    runs = [span("w", 8, 0, 3), span("w", 8, 1, 2), span("w", 8, 2, 4), span("w", 8, 3, 4)]
    assert lanes(runs) == [("w", 1), ("w", 2), ("w", 2), ("w", 1)]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20), st.integers(1, 9)), max_size=40))
def test_no_two_runs_of_a_lane_overlap(spans: list[tuple[int, int, int]]) -> None:
    runs = [span("w", process, start, start + length) for process, start, length in spans]
    by_lane: dict[object, list[Run]] = {}
    for run, lane in zip(runs, lanes(runs), strict=True):
        by_lane.setdefault(lane, []).append(run)
    for members in by_lane.values():
        members.sort(key=lambda run: run.started)
        assert all(a.finished <= b.started for a, b in pairwise(members))


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([], "Timeline: 0 tasks on 0 lanes"),
        ([span("w", 1, 0, 1)], "Timeline: 1 task on 1 lane"),
        ([Run("a", "m.t", sent=1.0)], "Timeline: 1 task on 0 lanes"),
    ],
)
def test_timeline_draws_even_little_and_says_what_it_shows(runs: list[Run], text: str) -> None:
    picture = timeline(runs)
    assert repr(picture) == text
    assert picture.png.startswith(PNG)


def test_waits_that_overlap_are_one_line() -> None:
    assert united([(3, 4), (0, 1), (0.5, 2), (2, 2.5)]) == [(0, 2.5), (3, 4)]


@pytest.mark.parametrize(("letters", "side_by_side"), [(1, 10), (17, 3), (200, 1)])
def test_legend_has_as_many_columns_as_fit(letters: int, side_by_side: int) -> None:
    assert columns(["a", "b" * letters]) == side_by_side
