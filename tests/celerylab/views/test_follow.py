"""Progress bars over real tasks."""

import pytest
from celery import chord, group

from celerylab import Lab
from celerylab.errors import LabError, Timeout
from celerylab.views import outcomes
from celerylab.views.follow import progress_of
from tests.celerylab.views.producer import add, app, long_task, process_data, sum_results


def test_task_is_followed_through_its_own_progress(lab: Lab) -> None:
    followed = lab.follow(long_task.delay(3))
    assert repr(followed) == "long_task: SUCCESS"
    assert followed.says[-2:] == ("PROGRESS", "SUCCESS")


def test_failed_task_is_shown_and_not_raised(lab: Lab) -> None:
    followed = lab.follow(process_data.delay([]))
    assert repr(followed).startswith("process_data: FAILURE, ValueError('process_data needs at least one")


def test_group_is_followed_by_its_finished_tasks(lab: Lab) -> None:
    assert repr(lab.follow(group(add.s(n, n) for n in range(20)).apply_async())) == "20 of 20 tasks done"


def test_group_with_a_failed_task_says_how_many(lab: Lab) -> None:
    sent = group(add.s(1, 1), process_data.s([]), add.s(2, 2)).apply_async()
    assert repr(lab.follow(sent)) == "3 of 3 tasks done, 1 of them failed"


def test_chord_is_followed_to_its_body(lab: Lab) -> None:
    sent = chord([add.s(1, 1), add.s(2, 2)], sum_results.s() | add.s(1)).apply_async()
    assert repr(lab.follow(sent)) == "4 of 4 tasks done"
    assert sent.get(timeout=1) == 7


def test_failed_chord_ends_the_following_with_what_its_body_says(lab: Lab) -> None:
    followed = lab.follow(chord([add.s(1, 1), process_data.s([])], sum_results.s()).apply_async())
    assert repr(followed).startswith('sum_results: FAILURE, ChordError("Dependency … raised ValueError')


def test_steps_whose_results_come_after_that_of_the_last_are_waited_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "LATE", 20.0)  # a busy machine takes its time
    step = app.signature("tests.celerylab.views.late.step", queue="late")
    env = {"CELERYLAB_BROKER_URL": lab.url}
    with lab.worker("tests.celerylab.views.late", queues=["late"], concurrency=3, env=env):
        sent = (step.clone([1]) | step | step).apply_async()
        assert repr(lab.follow(sent)) == "3 of 3 tasks done"
        sent = (step.clone([1]) | step | step).apply_async()
        assert sent.get(timeout=30) == 1
        assert repr(lab.draw(sent)) == "step(1) SUCCESS → step(…) SUCCESS → step(…) SUCCESS"
        fail = app.signature("tests.celerylab.views.late.fail", queue="late")
        sent = (step.clone([1]) | fail | step).apply_async()
        assert lab.follow(sent).problem == "ValueError(1)"
        assert repr(lab.draw(sent)) == "step(1) SUCCESS → fail(…) FAILURE → step(…) FAILURE"


def test_following_what_nobody_runs_ends_with_a_timeout_that_says_so(lab: Lab) -> None:
    sent = add.apply_async((1, 1), queue="nobody-listens")
    with pytest.raises(Timeout, match=r"Followed add for 0.2 s; it is not ready: PENDING"):
        lab.follow(sent, timeout=0.2)


def test_what_is_no_result_is_refused_by_its_kind(lab: Lab) -> None:
    with pytest.raises(LabError, match="takes the result of a task, group, chord or chain, not _chord"):
        lab.follow(chord([add.s(1, 1)], sum_results.s()))


@pytest.mark.parametrize(
    ("info", "done", "says"),
    [
        ({"current": 3, "total": 12}, 0.25, "PROGRESS"),
        ({"progress": 75, "status": "Generating"}, 0.75, "Generating"),
        ({"status": "Collecting"}, 0.0, "Collecting"),
        ({"current": 5, "total": 0}, 0.0, "PROGRESS"),
        ({"current": 13, "total": 12}, 1.0, "PROGRESS"),
        ("half", 0.0, "PROGRESS"),
    ],
)
def test_progress_is_read_from_what_tasks_report(info: object, done: float, says: str) -> None:
    found = progress_of({"status": "PROGRESS", "result": info})
    assert (found.done, found.says) == (done, says)
