"""Queues, messages and events, against a real broker and worker."""

from collections.abc import Iterator

import pytest

from celerylab import Lab
from celerylab.errors import LabError
from celerylab.views.table import Table
from tests.processes import within


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start()
    yield made
    made.stop()


def send(lab: Lab, *args: float, task: str = "add", **options: object) -> object:
    return lab.client.send_task(f"labtasks.basics.{task}", args, queue="labtasks", **options)


def test_queues_count_what_waits_and_what_is_taken(lab: Lab) -> None:
    for number in range(3):
        lab.client.send_task("any", (number,), queue="shelf", priority=number * 3)
    table = lab.queues()
    assert table.rows == [["shelf", 3, 0]]
    running = send(lab, 1.0, task="long_task")
    with lab.watch(wait=0) as seen:
        running.get(timeout=10)
    # its result may be there before its acknowledgement
    assert within(10, lambda: not [row for row in lab.queues().rows if row[0] == "labtasks"])
    assert not len(seen) or seen.runs[0].state


def test_peek_shows_the_message_that_a_worker_gets_next(lab: Lab) -> None:
    for name in ("first", "second"):
        lab.client.send_task("any", ("é", 1), {"k": None}, queue="line", task_id=name)
    message = lab.peek("line")
    assert (message.headers["id"], message.body[:2]) == ("first", [["é", 1], {"k": None}])
    assert lab.peek("line", 1).headers["id"] == "second"
    assert len([row for row in lab.queues().rows if row[0] == "line"]) == 1


def test_peek_reads_the_same_in_every_run(lab: Lab) -> None:
    for _ in range(2):
        lab.client.send_task("any", (1,), queue="same")
    assert repr(lab.peek("same", 0)) == repr(lab.peek("same", 1))
    assert lab.peek("same", 0)._repr_html_() == lab.peek("same", 1)._repr_html_()


def test_peek_into_an_empty_queue_names_those_that_hold_messages(lab: Lab) -> None:
    lab.client.send_task("any", queue="full")
    with pytest.raises(LabError, match=r"No message waits in 'empty'.*full"):
        lab.peek("empty")
    with pytest.raises(LabError, match="'full' holds 1 messages: there is none at 5"):
        lab.peek("full", 5)


def test_peek_shows_a_body_that_is_no_json_by_its_size(lab: Lab) -> None:
    lab.client.send_task("any", (1,), queue="pickled", serializer="pickle")
    assert "application/x-python-serialize" in repr(lab.peek("pickled"))


def test_watch_sees_every_task_sent_within_it_to_its_end(lab: Lab) -> None:
    with lab.watch() as seen:
        ids = {send(lab, number, number).id for number in range(50)}
    assert {run.id for run in seen} == ids
    assert {run.state for run in seen} == {"SUCCESS"}
    assert {run.process for run in seen} <= set(lab.bundled.processes)


def test_watch_does_not_see_what_was_sent_before_or_after(lab: Lab) -> None:
    send(lab, 1, 1).get(timeout=10)
    with lab.watch() as seen:
        inside = send(lab, 2, 2)
    send(lab, 3, 3).get(timeout=10)
    assert [run.id for run in seen if run.sent] == [inside.id]


def test_watch_does_not_wait_for_ever_for_a_task_nobody_takes(lab: Lab) -> None:
    with lab.watch(wait=0.2) as seen:
        lab.client.send_task("any", queue="nobody")
    (run,) = seen
    assert (run.state, run.started) == ("PENDING", None)


def test_failed_task_is_seen_as_failed(lab: Lab) -> None:
    with lab.watch() as seen:
        send(lab, -1, task="long_task")
    assert [run.state for run in seen] == ["FAILURE"]


def test_table_refuses_an_unknown_column_with_the_list_of_them(lab: Lab) -> None:
    with lab.watch() as seen:
        pass
    with pytest.raises(LabError, match=r"no column 'pid'. Columns: task, id, args"):
        seen.table("pid")
    assert repr(seen.table()) == "No task was seen."


def test_table_aligns_and_escapes() -> None:
    table = Table(["name", "n"], [["<b>", 5], ["x", 10]])
    assert repr(table).splitlines() == ["name   n", "----  --", "<b>    5", "x     10"]
    assert "&lt;b&gt;" in table._repr_html_()
