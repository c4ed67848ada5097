"""How long queues are, how old their oldest message is; who is told of what, and how often."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from redis import Redis

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from celerylab.stack.webhook import Webhook
from labtasks import queue_health
from labtasks.queue_health import BrokerAway, QueueHealth, look, waited_since
from labtasks.watch import Backlog, Facts, Failures, Incidents, NoWorker, OldestWaits, Outcomes, Watchman

MODULE = "tests.labtasks.measured"


@pytest.fixture
def queue() -> str:
    return f"health-{uuid4()}"


@pytest.fixture(scope="module")
def app(lab: Lab) -> Celery:
    made = Celery("health", broker=lab.url, set_as_current=False)
    queue_health.stamp(made, names=lambda name: name == "late")
    return made


class Told:
    """Alerts as they are sent; the first ``failures`` of them nobody takes."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.all: list[tuple[str, str, str]] = []

    def __call__(self, _text: str, *, state: str, rule: str, subject: str, **_: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("nobody there")
        self.all.append((state, rule, subject))


def test_the_oldest_of_all_priorities_counts(lab: Lab, app: Celery, queue: str) -> None:
    assert look(app, [queue]) == [QueueHealth(queue, 0, 0.0)]
    begun = time.time()
    app.send_task("late", queue=queue, priority=9)
    between = time.time()
    for priority in (0, 3, 6, 0):
        app.send_task("late", queue=queue, priority=priority)
    before = time.time()
    (found,) = look(app, [queue])
    after = time.time()
    assert found.waiting == 5
    # that of the first, which was sent before the others
    assert before - between <= found.oldest <= after - begun
    lab.redis.delete(*lab.redis.keys(f"{queue}*"))


def test_a_message_without_a_time_is_counted_and_has_no_age(lab: Lab, app: Celery, queue: str) -> None:
    app.send_task("unstamped", queue=queue)
    lab.redis.lpush(queue, b"no message at all")
    assert look(app, [queue]) == [QueueHealth(queue, 2, None)]
    lab.redis.delete(queue)


def test_waiting_begins_when_a_task_was_sent_or_at_its_eta() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    assert waited_since({"sent_at": 5.0}) == waited_since({"sent_at": 5.0, "eta": None}) == 5.0
    assert waited_since({"sent_at": 5.0, "eta": later.isoformat()}) == later.timestamp()
    assert waited_since({"sent_at": "soon"}) is waited_since({}) is None


def test_a_broker_that_is_away_is_told_of_soon() -> None:
    begun = time.monotonic()
    with pytest.raises(BrokerAway):
        look(Celery("away", broker="redis://127.0.0.1:1/0", set_as_current=False), ["q"])
    assert time.monotonic() - begun < 10


@pytest.fixture
def incidents(lab: Lab) -> Iterator[Incidents]:
    kept = Incidents(lab.redis, f"incidents-{uuid4()}")
    yield kept
    lab.redis.delete(kept.name)


def test_one_alert_an_incident_and_one_when_it_is_over(
    lab: Lab, app: Celery, queue: str, incidents: Incidents
) -> None:
    app.amqp.queues.add(queue)
    told = Told(failures=1)
    rules = [Backlog(messages=1, queues=(queue,))]
    first, second = (Watchman(app, rules, incidents=incidents, send=told, answer=0.01) for _ in range(2))
    app.send_task("late", queue=queue)
    assert first.check() == []
    app.send_task("late", queue=queue)
    assert first.check() == []  # nobody took the alert: it is sent again
    for each in (first, second, first):
        assert [one.subject for one in each.check()] == [queue]
    assert told.all == [("firing", "backlog", queue)]
    lab.redis.delete(queue)
    assert second.check() == first.check() == []
    assert told.all[1:] == [("resolved", "backlog", queue)]
    for _ in range(2):
        app.send_task("late", queue=queue)
    first.check()
    assert told.all[2:] == [("firing", "backlog", queue)]
    lab.redis.delete(queue)


def test_what_passes_by_itself_is_no_incident(incidents: Incidents) -> None:
    for looks in ({"q": "slow"}, {}, {"q": "slow"}):
        incidents.found("rule", looks)
        assert [each.looks for each in incidents.all()] == [1] * len(looks)
    incidents.found("rule", {"q": "slower"})
    assert [(each.looks, each.text) for each in incidents.all()] == [(2, "slower")]


def test_one_who_looks_at_a_time(incidents: Incidents) -> None:
    with incidents.mine() as first, incidents.mine() as second:
        assert (first, second) == (True, False)
    with incidents.mine() as third:
        assert third


def facts(*queues: QueueHealth, workers: dict[str, tuple[str, ...]] | None = None) -> Facts:
    return Facts(queues, workers or {})


def test_rules_find_what_they_are_for_and_no_more() -> None:
    busy, stuck = QueueHealth("busy", 5000, 2.0), QueueHealth("stuck", 1, 400.0)
    silent = QueueHealth("silent", 3, None)
    look_at = facts(busy, stuck, silent, workers={"w": ("busy", "stuck")})
    assert list(OldestWaits(300).found(look_at)) == ["stuck"]
    assert list(OldestWaits(1, queues=("busy",)).found(look_at)) == ["busy"]
    assert list(Backlog(4999).found(look_at)) == ["busy"]
    assert list(NoWorker().found(look_at)) == ["silent"]
    assert list(NoWorker().found(facts(busy))) == ["workers"]
    assert NoWorker().found(Facts((busy,))) == {}  # nobody has asked


def test_failures_need_a_share_and_a_number() -> None:
    outcomes, rule = Outcomes(), Failures(share=0.5, at_least=4)
    found = Facts(outcomes=outcomes)
    for failed in (True, True, True):
        outcomes.note(failed=failed)
    assert rule.found(found) == {}
    outcomes.note(failed=True)
    assert rule.found(found) == {"tasks": "4 of 4 tasks failed within 300 s"}
    for _ in range(4):
        outcomes.note(failed=False)
    assert rule.found(found) == {}


def test_a_broker_that_is_away_is_told_once_and_so_is_its_return(lab: Lab) -> None:
    broker, told = lab.broker(keep=True), Told(failures=1)
    app = Celery("away", broker=broker.url, set_as_current=False)
    watchman = Watchman(
        app, [Backlog(10)], incidents=Incidents(Redis.from_url(broker.url), "away.incidents"), send=told
    )
    assert watchman.check() == []
    broker.stop()
    for _ in range(3):
        assert [each.subject for each in watchman.check()] == ["broker"]
    broker.start()
    assert watchman.check() == watchman.check() == []
    assert told.all == [("firing", "broker", "broker"), ("resolved", "broker", "broker")]


def test_beat_tells_when_no_worker_answers_and_when_tasks_fail(lab: Lab) -> None:
    hook = lab.webhook()
    lab.bundled.kill()
    with lab.beat(MODULE, env={"CELERYLAB_ALERT_URL": hook.url}) as beat:
        hook.wait(1, timeout=30)
        with lab.worker(MODULE, pool="solo", queues=["measured"]) as worker:
            hook.wait(2, timeout=30)
            for _ in range(3):
                lab.client.send_task(f"{MODULE}.fail", queue="measured")
            # a worker that is slow to answer once may be told of in between
            wait_for(1, "alert of failures", lambda: [one for one in said(hook) if one[1] == "failures"], 30)
            worker.kill()
        beat.kill()
    assert said(hook)[:2] == [("firing", "no worker", "workers"), ("resolved", "no worker", "workers")]
    assert ("firing", "failures", "tasks") in said(hook)


def said(hook: Webhook) -> list[tuple[str, str, str]]:
    return [(one.body["state"], one.body["rule"], one.body["subject"]) for one in hook.requests]
