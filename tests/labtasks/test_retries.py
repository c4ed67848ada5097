"""Retries: which errors are worth one, how long they wait, how many there are, and who is told."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from celerylab.stack.webhook import Webhook
from celerylab.stack.worker import Worker
from labtasks.retries import PermanentError, TransientError, delay, deliver, retry_with_backoff

MODULE = """
import os
from celery import Celery
from celery.exceptions import Ignore
from labtasks.retries import AlertingTask, deliver, retry_with_backoff, TransientError
url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("retrying", broker=url, backend=url)
app.conf.task_default_queue = "retrying"

@app.task(bind=True)
@retry_with_backoff(max_retries=4, base_delay=0.02, max_delay=0.1, retry_for=(TransientError,))
def send(self, url):
    return deliver(url, {"retries": self.request.retries})

@app.task(bind=True)
@retry_with_backoff(base_delay=0.02)
def ignore(self, url):
    deliver(url, {})
    raise Ignore

@app.task(base=AlertingTask, autoretry_for=(TransientError,), max_retries=2, default_retry_delay=0.02)
def alert(url):
    return deliver(url, {})
"""


@pytest.fixture(scope="module")
def worker(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Worker, Webhook]]:
    folder, before = tmp_path_factory.mktemp("module"), Path.cwd()
    (folder / "retrying.py").write_text(MODULE)
    os.chdir(folder)
    alerts = lab.webhook()
    started = lab.worker("retrying", env={"CELERYLAB_ALERT_URL": alerts.url})
    yield started, alerts
    started.kill()
    os.chdir(before)


def run(lab: Lab, task: str, *args: Any) -> Any:
    queue = "retrying" if task.startswith("retrying.") else "labtasks"
    result = lab.client.send_task(task, args=args, queue=queue)
    result.get(timeout=30, propagate=False)
    return result


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, PermanentError),
        (404, PermanentError),
        (408, TransientError),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_status_says_whether_another_try_is_worth_it(lab: Lab, status: int, error: type[Exception]) -> None:
    partner = lab.webhook(status=status)
    with pytest.raises(error, match=f"{partner.url} answered {status} "):
        deliver(partner.url, {})


def test_nobody_there_is_transient_and_no_address_permanent(lab: Lab) -> None:
    partner = lab.webhook()
    partner.stop()
    with pytest.raises(TransientError, match=partner.url):
        deliver(partner.url, {})
    for address in ("no address", "ftp://example.com", "http://[::1", ""):
        with pytest.raises(PermanentError, match="is no address"):
            deliver(address, {})


@given(
    retries=st.integers(0, 10_000),
    base=st.floats(0, 1e6),
    longest=st.floats(0, 1e9),
)
def test_delay_doubles_with_jitter_of_10_to_30_percent_up_to_the_longest(
    retries: int, base: float, longest: float
) -> None:
    base, longest = sorted((base, longest))
    found = delay(retries, base, longest)
    doubled = base * 2.0 ** min(retries, 64)
    assert min(doubled * 1.1, longest) * 0.999999 <= found <= min(doubled * 1.3, longest) * 1.000001


def test_delay_refuses_what_makes_none() -> None:
    for numbers in ((-1, 1.0, 2.0), (0, -1.0, 2.0), (0, 3.0, 2.0)):
        with pytest.raises(ValueError, match=f"base_delay={numbers[1]}"):
            delay(*numbers)
    with pytest.raises(ValueError, match="max_delay=1"):
        retry_with_backoff(base_delay=2.0, max_delay=1.0)


@pytest.mark.usefixtures("worker")
def test_n_retries_are_n_and_one_runs_that_each_know_their_number(lab: Lab) -> None:
    down = lab.webhook(status=503)
    result = run(lab, "retrying.send", down.url)
    assert [request.body["retries"] for request in down] == [0, 1, 2, 3, 4]
    assert (result.state, type(result.result).__name__) == ("FAILURE", "TransientError")


@pytest.mark.usefixtures("worker")
def test_retries_end_with_success_and_leave_other_errors_and_celerys_own_alone(lab: Lab) -> None:
    twice, refusing, fine = lab.webhook(failures=2), lab.webhook(status=400), lab.webhook()
    assert run(lab, "retrying.send", twice.url).state == "SUCCESS"
    assert run(lab, "retrying.send", refusing.url).state == "FAILURE"
    lab.client.send_task("retrying.ignore", args=(fine.url,), queue="retrying")
    fine.wait(1)
    assert run(lab, "retrying.send", fine.url).state == "SUCCESS"
    assert (len(twice), len(refusing), len(fine)) == (3, 1, 2)


def test_alert_comes_once_after_the_last_run_and_none_for_a_retry(
    lab: Lab, worker: tuple[Worker, Webhook]
) -> None:
    process, alerts = worker
    once, down = lab.webhook(failures=1), lab.webhook(status=503)
    assert run(lab, "retrying.alert", once.url).state == "SUCCESS"
    result = run(lab, "retrying.alert", down.url)
    process.until(running=0)
    assert [alert.body["task_id"] for alert in alerts] == [result.id]
    assert "503" in alerts.requests[0].body["text"]


def test_alert_that_nobody_takes_does_not_hide_the_failure(lab: Lab, worker: tuple[Worker, Webhook]) -> None:
    process, alerts = worker
    alerts.status = 500
    result = run(lab, "retrying.alert", lab.webhook(status=400).url)
    process.until(running=0)
    alerts.status = 200
    assert (result.state, type(result.result).__name__) == ("FAILURE", "PermanentError")
    assert "did not take the alert" in repr(process.log("did not take"))


def test_resilient_task_delivers_at_the_second_try_and_asks_once_what_is_refused(lab: Lab) -> None:
    once, refusing = lab.webhook(failures=1), lab.webhook(status=400)
    assert run(lab, "labtasks.retries.resilient_task", once.url, {"n": 1}).get() == {"received": True}
    assert run(lab, "labtasks.retries.resilient_task", refusing.url, {}).state == "FAILURE"
    assert (len(once), len(refusing)) == (2, 1)
    assert once.requests[0].body == {"n": 1}


def test_manual_retry_task_comes_back_after_a_minute_and_fails_at_once_for_good(lab: Lab) -> None:
    down, refusing = lab.webhook(status=503), lab.webhook(status=400)
    assert run(lab, "labtasks.retries.manual_retry_task", refusing.url, {}).state == "FAILURE"
    result = lab.client.send_task("labtasks.retries.manual_retry_task", args=(down.url, {}), queue="labtasks")
    held = wait_for(1, "retries", lambda: lab.bundled.inspect("scheduled"), 15)[0]
    seconds = (datetime.fromisoformat(held["eta"]) - datetime.now(UTC)).total_seconds()
    assert 30 < seconds <= 60
    assert held["request"]["id"] == result.id
    result.revoke()
