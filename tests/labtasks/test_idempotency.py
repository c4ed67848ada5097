"""Equal calls share one run: their keys, races of real processes, kills, and what is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any
from uuid import uuid4

import psutil
import pytest
from celery import Celery
from hypothesis import given, settings
from hypothesis import strategies as st

from celerylab import Lab
from celerylab.stack.worker import Worker
from labtasks.claims import Claims, ClaimsAway, claims
from labtasks.idempotency import InProgress, NoKey, NoResult, NotItsTask, idempotent_task, key_of
from labtasks.settings import SettingsError
from tests.processes import within

MODULE = "tests.labtasks.guarded"
QUEUE = "test-guarded"

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.dates() | st.decimals(allow_nan=False) | st.uuids() | st.binary()
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
arguments = st.dictionaries(st.text(min_size=1), values, max_size=4)


@pytest.fixture(scope="module")
def tasks(lab: Lab) -> ModuleType:
    return import_module(MODULE)


@pytest.fixture(scope="module")
def worker(tasks: ModuleType, lab: Lab) -> Iterator[Worker]:
    made = lab.worker(MODULE, concurrency=3, queues=[QUEUE])
    yield made
    made.kill()


@pytest.fixture
def key(lab: Lab) -> str:
    return uuid4().hex


def runs(lab: Lab, key: str) -> int:
    return int(lab.redis.get(f"runs {key}") or 0)


def begun(lab: Lab, key: str, times: int = 1) -> bool:
    return within(20, lambda: runs(lab, key) == times)


def open_gate(lab: Lab, key: str) -> None:
    lab.redis.set(f"gate {key}", "open", ex=60)


def shuffled(value: Any) -> Any:
    """Return an equal value, whose dictionaries are in another order and whose lists are tuples."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return tuple(map(shuffled, value)) if isinstance(value, list) else value


# -- keys ---------------------------------------------------------------------------------


@given(arguments)
def test_equal_arguments_in_another_order_have_equal_keys(given: dict[str, Any]) -> None:
    assert key_of("task", shuffled(given)) == key_of("task", given)


@given(arguments, arguments)
def test_keys_differ_if_what_json_makes_of_the_arguments_differs(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    from kombu.utils.json import dumps

    travelled = [json.dumps(json.loads(dumps(each)), sort_keys=True) for each in (one, other)]
    assert (key_of("task", one) == key_of("task", other)) == (travelled[0] == travelled[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (1, True), (0, None), ("", None), ([], {}), (["ab"], ["a", "b"]), (b"a", "a"), (1, 1.0),
     (Decimal("1.0"), Decimal("1.00")), (date(2024, 1, 1), "2024-01-01"), ({"a": None}, {})],
)  # fmt: skip
def test_values_that_look_alike_have_different_keys(one: Any, other: Any) -> None:
    assert key_of("task", {"x": one}) != key_of("task", {"x": other})


def test_numbers_as_keys_of_a_dictionary_are_texts_as_after_their_journey() -> None:
    there = {10: "a", 9: "b", "8": "c"}
    assert key_of("task", {"x": there}) == key_of("task", {"x": json.loads(json.dumps(there))})


def test_tasks_with_equal_arguments_have_different_keys() -> None:
    assert key_of("pay", {"x": 1}) != key_of("refund", {"x": 1})


def test_key_is_the_same_in_every_process() -> None:
    call = "{'b': {'y': [1, 2.5], 'x': Decimal('1.10')}, 'a': 'ü', **{c: c for c in {'z', 'x', 'y'}}}"
    code = (
        f"from labtasks.idempotency import key_of; from decimal import Decimal;print(key_of('task', {call}))"
    )
    elsewhere = subprocess.check_output(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "1"}
    )
    given = {"a": "ü", "x": "x", "y": "y", "z": "z", "b": {"x": Decimal("1.10"), "y": [1, 2.5]}}
    assert elsewhere.decode().strip() == key_of("task", given)


@settings(deadline=None, max_examples=50)
@given(
    st.data(), st.lists(st.integers(), max_size=2), st.dictionaries(st.sampled_from(["p", "q"]), st.text())
)
def test_call_has_one_key_however_it_is_spelt(
    tasks: ModuleType, data: st.DataObject, more: list[int], named: dict[str, str]
) -> None:
    x, y, z = data.draw(st.integers()), data.draw(st.sampled_from([2, 5])), data.draw(st.sampled_from([3, 7]))
    y_first = y if more else data.draw(st.just(y))
    spelt = [
        ((x, y_first, *more), {"z": z, **named}),
        ((x, y, *more), {**dict(reversed(named.items())), "z": z}),
    ]
    if not more:
        spelt += [((), {"y": y, "x": x, "z": z, **named}), ((x,), {**named, "z": z, "y": y})]
        spelt += [((x,), {"z": z, **named})] if y == 2 else []
    if z == 3:
        spelt += [((x, y, *more), named)]
    assert len({tasks.takes_anything(*args, **kwargs) for args, kwargs in spelt}) == 1


def test_arguments_that_json_cannot_take_are_refused_by_name(tasks: ModuleType, lab: Lab) -> None:
    before = runs(lab, "anything")
    with pytest.raises(
        NoKey, match=r"guarded.takes_anything: argument y can't be part .* type set is not JSON"
    ):
        tasks.takes_anything(1, {2})
    circular: list[Any] = []
    circular.append(circular)
    with pytest.raises(NoKey, match=r"argument x, z can't be part of a key"):
        tasks.takes_anything(circular, z=object())
    assert runs(lab, "anything") == before


def test_key_function_says_what_tells_calls_apart(tasks: ModuleType, key: str) -> None:
    assert tasks.by_order(key, 5) == tasks.by_order(key, amount=6, note="again") == 1
    with pytest.raises(NoKey, match=r"guarded.by_order: argument key can't be part"):
        tasks.by_order({1}, 5)


# -- one run, whoever asks ------------------------------------------------------------------


def test_equal_tasks_in_three_processes_run_once_and_share_the_result(
    tasks: ModuleType, worker: Worker, lab: Lab, key: str
) -> None:
    sent = [tasks.slow.delay(key, value=n % 1) for n in range(6)]
    assert begun(lab, key)
    # all others have met the first, and wait in the broker or in reserve, in no process
    assert within(20, lambda: [each.state for each in sent].count("RETRY") == 5)
    open_gate(lab, key)
    found = [each.get(timeout=30) for each in sent]
    assert found == [found[0]] * 6
    assert found[0][0] in {each.id for each in sent}
    assert runs(lab, key) == 1


def test_processes_that_call_at_once_run_it_once(tasks: ModuleType, lab: Lab, key: str) -> None:
    code = (
        f"import {MODULE} as m; from labtasks.idempotency import InProgress\n"
        f"m.redis.incr('ready {key}'); m.wait_at('start {key}')\n"
        f"try: print(m.once('{key}'))\n"
        "except InProgress: print('in progress')\n"
    )
    each = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert within(60, lambda: int(lab.redis.get(f"ready {key}") or 0) == 3)
    lab.redis.set(f"start {key}", "open", ex=60)
    others = 2
    assert within(30, lambda: sum(process.poll() is not None for process in each) == others)
    open_gate(lab, key)
    assert (
        sorted(process.communicate(timeout=30)[0].strip() for process in each)
        == ["1"] + ["in progress"] * others
    )
    assert runs(lab, key) == 1


def test_result_none_is_a_result(tasks: ModuleType, worker: Worker, lab: Lab, key: str) -> None:
    assert [tasks.nothing.delay(key).get(timeout=30) for _ in range(3)] == [None] * 3
    assert runs(lab, key) == 1


def test_result_counts_for_as_long_as_it_was_said(tasks: ModuleType, lab: Lab, key: str) -> None:
    tasks.nothing(key)
    stored = key_of(tasks.nothing.name, {"key": key})
    assert lab.redis.get(stored) == b"result null"
    assert 86_300 < lab.redis.ttl(stored) <= 86_400
    lab.redis.delete(stored)  # as if it had expired
    tasks.nothing(key)
    assert runs(lab, key) == 2


# -- failures -------------------------------------------------------------------------------


def test_failure_is_no_result_and_the_next_call_runs(
    tasks: ModuleType, worker: Worker, lab: Lab, key: str
) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            tasks.divide.delay(key, 0).get(timeout=30)
    assert runs(lab, key) == 2
    assert not lab.redis.exists(key_of(tasks.divide.name, {"key": key, "by": 0}))


def test_retry_of_the_task_itself_is_not_locked_out(
    tasks: ModuleType, worker: Worker, lab: Lab, key: str
) -> None:
    assert tasks.fails_first.delay(key).get(timeout=30) == "done"
    assert runs(lab, key) == 2


def test_waiting_for_another_uses_up_no_retry(tasks: ModuleType, worker: Worker, lab: Lab, key: str) -> None:
    claimed = key_of(tasks.slow.name, {"key": key, "value": None})
    claims().claim(claimed, b"owner another", 60)
    with lab.watch(wait=0) as seen:
        sent = tasks.slow.delay(key)
        assert within(20, lambda: sum(run.state == "RETRY" for run in seen) > 4)
    assert runs(lab, key) == 0
    open_gate(lab, key)
    claims().release(claimed, b"owner another")
    assert sent.get(timeout=30) == [sent.id, 0, None]


def test_result_that_cannot_be_stored_fails_and_gives_the_key_free(
    tasks: ModuleType, lab: Lab, key: str
) -> None:
    for _ in range(2):
        with pytest.raises(NoResult, match="returns_a_set returned what can't be stored"):
            tasks.returns_a_set(key)
    assert runs(lab, key) == 2


def test_task_that_calls_itself_is_told_that_it_runs(tasks: ModuleType, lab: Lab, key: str) -> None:
    with pytest.raises(InProgress, match=r"guarded.calls_itself: an equal call runs, owner"):
        tasks.calls_itself(key)
    assert runs(lab, key) == 1


# -- kills, redeliveries, frozen processes ----------------------------------------------------


def test_redelivery_takes_over_from_a_killed_worker(tasks: ModuleType, lab: Lab, key: str) -> None:
    patience = {"VISIBILITY_TIMEOUT": "1"}
    first = lab.worker(MODULE, name="first", concurrency=1, queues=[key], env=patience)
    sent = tasks.short_lease.apply_async((key,), queue=key)
    assert begun(lab, key)
    (ran_in,) = first.processes
    first.kill()
    open_gate(lab, key)
    with lab.worker(MODULE, name="next", concurrency=1, queues=[key], env=patience) as second:
        assert sent.get(timeout=30) == second.processes[0] != ran_in
        second.kill()
    assert runs(lab, key) == 2


def test_redelivery_of_a_task_that_still_runs_does_not_run_beside_it(
    tasks: ModuleType, lab: Lab, key: str
) -> None:
    patience = {"VISIBILITY_TIMEOUT": "1"}
    with (
        lab.worker(MODULE, name="patient", queues=[key], env={**patience, "LEASE": "5"}) as made,
        lab.watch(wait=0) as seen,
    ):
        sent = tasks.short_lease.apply_async((key,), queue=key)
        # the same id, again and again, for longer than the lease: the first run renews it
        assert within(30, lambda: sum(run.state == "RETRY" for run in seen) > 30)
        assert runs(lab, key) == 1
        open_gate(lab, key)
        assert sent.get(timeout=30) in made.processes
        assert within(30, lambda: not lab.redis.hlen("unacked") and not lab.redis.llen(key))
        made.kill()
    assert runs(lab, key) == 1


def test_process_that_was_frozen_returns_the_result_of_the_one_that_took_over(
    tasks: ModuleType, lab: Lab, key: str
) -> None:
    with lab.worker(MODULE, name="freezing", concurrency=1, queues=[key]) as first:
        frozen = tasks.short_lease.apply_async((key,), queue=key)
        assert begun(lab, key)
        child = psutil.Process(first.processes[0])
        child.suspend()
        with lab.worker(MODULE, name="other", concurrency=1, queues=["other"]) as second:
            other = tasks.short_lease.apply_async((key,), queue="other")
            assert begun(lab, key, 2)
            (ran_in,) = second.processes
            open_gate(lab, key)
            assert other.get(timeout=30) == ran_in
            child.resume()
            assert frozen.get(timeout=30) == ran_in
            second.kill()
        assert first.log("ran for longer than it held its lease").lines
        first.kill()
    assert runs(lab, key) == 2


# -- Redis ------------------------------------------------------------------------------------


def test_without_redis_the_task_does_not_run(
    tasks: ModuleType, lab: Lab, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_IDEMPOTENCY_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(
        ClaimsAway, match=r"Redis did not answer about idempotent:tests.labtasks.guarded.nothing:"
    ):
        tasks.nothing(key)
    assert runs(lab, key) == 0


def test_result_is_returned_if_redis_goes_away_meanwhile(
    tasks: ModuleType, lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with lab.broker() as apart:
        monkeypatch.setenv("CELERYLAB_IDEMPOTENCY_URL", apart.url)
        app = Celery("apart", set_as_current=False)

        @app.task
        @idempotent_task
        def kills_it() -> str:
            apart.kill()
            return "done"

        assert kills_it() == "done"
    assert "the result is not stored, an equal call will run again" in caplog.text


def test_redis_that_forgot_the_scripts_learns_them_again(tasks: ModuleType, lab: Lab, key: str) -> None:
    tasks.nothing(key)
    lab.redis.script_flush()
    assert tasks.nothing(key) is None
    assert runs(lab, key) == 1


@pytest.mark.parametrize("line", range(1, 6))
def test_answer_that_a_time_limit_kept_from_being_read_is_no_answer_to_the_next(
    lab: Lab, key: str, line: int
) -> None:
    class Struck(BaseException): ...

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal line
        if frame.f_code is not Claims._once.__code__:
            return None
        line -= event == "line"
        if not line:
            raise Struck  # as a soft time limit does, wherever the code is
        return trace

    store = claims()
    for name in ("one", "other"):
        store.claim(f"{name} {key}", name.encode(), 60)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(Struck):
            store.claim(f"one {key}", b"another", 60)
    finally:
        sys.settrace(before)
    assert store.claim(f"other {key}", b"another", 60) == b"other"


def test_claims_are_kept_where_the_settings_say(
    tasks: ModuleType, lab: Lab, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab.broker() as apart:
        monkeypatch.setenv("CELERYLAB_RESULT_BACKEND", "db+sqlite:///results.sqlite3")
        tasks.nothing(key)
        stored = key_of(tasks.nothing.name, {"key": key})
        assert lab.redis.exists(stored)
        monkeypatch.setenv("CELERYLAB_RESULT_BACKEND", apart.url)
        tasks.nothing(key)
        assert apart.redis().exists(stored)
        apart.redis().delete(stored)
        monkeypatch.setenv("CELERYLAB_RESULT_BACKEND", lab.url)
        monkeypatch.setenv("CELERYLAB_IDEMPOTENCY_URL", apart.url)
        tasks.nothing(key)
        assert apart.redis().exists(stored)
    assert runs(lab, key) == 3


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"CELERYLAB_IDEMPOTENCY_URL": "amqp://localhost"},
            "IDEMPOTENCY_URL: expected an address that begins",
        ),
        ({"CELERYLAB_BROKER_URL": "amqp://localhost"}, "IDEMPOTENCY_URL is not set, and neither"),
    ],
)
def test_address_that_is_no_redis_is_refused(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        claims()


# -- misuse -----------------------------------------------------------------------------------


def test_wrong_order_of_decorators_is_refused() -> None:
    app = Celery("wrong", set_as_current=False)
    with pytest.raises(TypeError, match=r"idempotent_task stands above @app.task: write it below"):

        @idempotent_task
        @app.task
        def pay() -> None: ...


@pytest.mark.parametrize("what", [None, 5, dict, len, lambda: (yield)])
def test_what_is_no_function_with_a_result_is_refused(what: Any) -> None:
    with pytest.raises(TypeError, match="idempotent_task stands above a function that returns its result"):
        idempotent_task(lease=5)(what)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lease": 0}, "lease is a number of seconds above 0, not 0"),
        ({"expires": timedelta(seconds=-1)}, "expires is a number of seconds above 0"),
        ({"wait": "5"}, "wait is a number of seconds above 0, not '5'"),
        ({"lease": True}, "lease is a number"),
        ({"expires": float("nan")}, "expires is a number"),
        ({"held": "reject"}, 'held is "retry" or "raise", not \'reject\''),
    ],
)
def test_bad_option_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        idempotent_task(**options)


def test_guarded_function_that_is_not_called_as_its_task_is_refused(tasks: ModuleType) -> None:
    app = Celery("astray", set_as_current=False)

    @idempotent_task
    def helper() -> None: ...

    @app.task
    def outer() -> None:
        helper()

    with pytest.raises(NotItsTask, match=r"helper was called inside the task .*outer, and not as a task"):
        outer()
    with pytest.raises(NotItsTask, match="helper was called outside of any task"):
        helper()


def test_call_with_wrong_arguments_is_refused_where_it_is_sent(tasks: ModuleType) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'by'"):
        tasks.divide.delay(1)


def test_options_as_timedelta_are_seconds(lab: Lab) -> None:
    app = Celery("times", set_as_current=False)

    @app.task(name=f"times-{uuid4().hex}")
    @idempotent_task(expires=timedelta(minutes=1))
    def timed() -> int:
        return 1

    assert timed() == 1
    assert 55 < lab.redis.ttl(key_of(timed.name, {})) <= 60
