"""Tasks sent on conditions: what holds is sent; what is unknown or unfit is refused before."""

import contextlib
from typing import Any

import pytest
from celery.result import AsyncResult
from hypothesis import given
from hypothesis import strategies as st

from celerylab import Lab
from labtasks import users
from labtasks.conditions import CONDITIONS, BadCondition, evaluate_condition

CONDITIONAL = "labtasks.conditions.conditional_processing"
URGENT = "labtasks.conditions.high_priority_processing"
QUALITY = "labtasks.conditions.validate_data_quality"
QUEUES = ("labtasks", "labtasks.high_priority")

HIGH = {
    "type": "value_greater_than",
    "params": {"field": "priority_score", "threshold": 80},
    "task": "high_priority_processing",
    "task_params": {"priority_level": "urgent"},
}
VALIDATE = {
    "type": "field_exists",
    "params": {"field": "validation_required"},
    "task": "validate_data_quality",
    "task_params": {"strict_mode": True},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def process(lab: Lab, data: dict[str, Any], conditions: dict[str, Any]) -> Any:
    return lab.client.send_task(CONDITIONAL, (data, conditions), queue="labtasks").get(timeout=20)


def test_task_of_each_condition_that_holds_is_sent(lab: Lab) -> None:
    data = {"priority_score": 85, "validation_required": True}
    sent = process(lab, data, {"high_priority": HIGH, "data_validation_required": VALIDATE})
    assert [(one["condition"], one["task"], one["status"]) for one in sent] == [
        ("high_priority", "high_priority_processing", "scheduled"),
        ("data_validation_required", "validate_data_quality", "scheduled"),
    ]
    urgent, quality = (AsyncResult(one["task_id"], app=lab.client).get(timeout=20) for one in sent)
    assert urgent == {
        "priority_level": "urgent",
        "minutes_to_answer": 15,
        "queue": "labtasks.high_priority",
    }
    assert quality["strict_mode"] is True


def test_task_of_a_condition_that_does_not_hold_is_not_sent(lab: Lab) -> None:
    assert process(lab, {"priority_score": 80}, {"high": HIGH, "quality": VALIDATE}) == []


def test_no_conditions_send_nothing(lab: Lab) -> None:
    assert process(lab, {"priority_score": 85}, {}) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"type": "is_friday"},
            r"there is no condition type 'is_friday'; known: value_equals, value_greater_than, field_exists, "
            "custom_function",
        ),
        (
            {"type": "custom_function", "params": {"function": "exec"}},
            "no custom function 'exec'; known: any_",
        ),
        ({"type": "custom_function", "params": {}}, "custom_function takes function: function is missing"),
        (
            {"type": "custom_function", "params": {"function": "any_missing", "field": "x"}},
            "any_missing takes fields: fields is missing; field is unknown",
        ),
        ({"params": {"field": "priority_score"}}, "takes field, threshold: threshold is missing"),
        ({"params": {**HIGH["params"], "limit": 1}}, "takes field, threshold: limit is unknown"),
        ({"params": {"field": 7, "threshold": 1}}, "field must be str, not 7"),
        (
            {"params": {"field": "name", "threshold": 1}},
            "'name' holds 'aiko', which cannot be compared with 1",
        ),
        (
            {"task": "drop_everything"},
            "no task 'drop_everything'; known: high_priority_processing, validate_data_quality",
        ),
        ({"task": "labtasks.mail.send_welcome_email"}, "no task 'labtasks.mail.send_welcome_email'"),
        ({"task_params": {}}, "high_priority_processing takes priority_level: priority_level is missing"),
        ({"task_params": {"priority_level": "urgent", "now": 1}}, "takes priority_level: now is unknown"),
        (
            {"task_params": {"priority_level": "low"}},
            r"must be Literal\['normal', 'high', 'urgent'\], not 'low'",
        ),
        ({"taks": "x"}, "the rule: Object contains unknown field `taks`; known: type, params, task, task_p"),
    ],
)
def test_bad_condition_is_refused_by_name_and_nothing_is_sent(
    lab: Lab, wrong: dict[str, Any], message: str
) -> None:
    conditions = {"good": HIGH, "bad": {**HIGH, **wrong}}
    with lab.watch() as seen:
        with pytest.raises(Exception, match=f"condition 'bad': .*{message}"):
            process(lab, {"priority_score": 85, "name": "aiko"}, conditions)
        # would come behind what was sent before
        after = [lab.client.send_task("labtasks.basics.add", (1, 1), queue=queue) for queue in QUEUES]
        assert [result.get(timeout=20) for result in after] == [2, 2]
    assert sorted(run.task for run in seen) == ["labtasks.basics.add"] * 2 + [CONDITIONAL]


def test_bad_condition_is_refused_though_it_does_not_hold(lab: Lab) -> None:
    with pytest.raises(Exception, match="no task 'drop_everything'"):
        process(lab, {"priority_score": 1}, {"bad": {**HIGH, "task": "drop_everything"}})


@pytest.mark.parametrize(
    ("data", "conditions", "message"),
    [("text", {}, "data must be dict.* not 'text'"), ({}, [HIGH], "conditions must be dict")],
)
def test_what_is_no_dictionary_is_refused(lab: Lab, data: Any, conditions: Any, message: str) -> None:
    with pytest.raises(Exception, match=message):
        process(lab, data, conditions)


@pytest.mark.parametrize("level", ["low", ["urgent"]])
def test_unknown_priority_level_is_refused_by_name(lab: Lab, level: object) -> None:
    result = lab.client.send_task(URGENT, (level,), queue="labtasks.high_priority")
    with pytest.raises(Exception, match=r"no priority level .*known: normal, high, urgent"):
        result.get(timeout=20)


def test_data_quality_counts_what_is_no_address_and_when_strict_what_is_shared(lab: Lab) -> None:
    def faulty(strict: bool) -> int:
        return lab.client.send_task(QUALITY, (strict,), queue="labtasks").get(timeout=20)["faulty"]

    loose, strict = faulty(False), faulty(True)
    for address in ("nobody", "shared@example.com", "Shared@example.com "):
        users.register("aiko", address)
    assert (faulty(False) - loose, faulty(True) - strict) == (1, 3)


@pytest.mark.parametrize(
    ("condition_type", "params", "expected"),
    [
        ("value_equals", {"field": "name", "value": "aiko"}, True),
        ("value_equals", {"field": "name", "value": "ken"}, False),
        ("value_equals", {"field": "absent", "value": None}, False),
        ("value_greater_than", {"field": "score", "threshold": 6}, True),
        ("value_greater_than", {"field": "score", "threshold": 7}, False),
        ("value_greater_than", {"field": "absent", "threshold": -1}, False),
        ("field_exists", {"field": "empty"}, True),
        ("field_exists", {"field": "absent"}, False),
        ("custom_function", {"function": "any_missing", "fields": ["name", "empty"]}, True),
        ("custom_function", {"function": "any_missing", "fields": ["name"]}, False),
        ("custom_function", {"function": "value_between", "field": "score", "low": 7, "high": 8}, True),
        ("custom_function", {"function": "value_between", "field": "name", "low": 7, "high": 8}, False),
    ],
)
def test_condition_holds_or_not(condition_type: str, params: dict[str, Any], expected: bool) -> None:
    data = {"name": "aiko", "score": 7, "empty": None}
    assert evaluate_condition(data, condition_type, params) is expected


@given(data=st.dictionaries(st.text(), JSON), field=st.text(), value=JSON)
def test_equal_exactly_if_the_field_is_there_and_equal(data: dict[str, Any], field: str, value: Any) -> None:
    expected = field in data and data[field] == value
    assert evaluate_condition(data, "value_equals", {"field": field, "value": value}) is expected


@given(
    data=st.dictionaries(st.sampled_from("ab"), JSON),
    condition_type=st.sampled_from([*CONDITIONS, "absent"]),
    params=st.dictionaries(
        st.sampled_from(["field", "value", "threshold", "function", "fields", "low", "high", "data"]),
        st.sampled_from(["a", "any_missing", "value_between"]) | JSON,
    ),
)
def test_whatever_a_message_asks_is_answered_or_refused(
    data: dict[str, Any], condition_type: str, params: dict[str, Any]
) -> None:
    with contextlib.suppress(BadCondition):
        assert evaluate_condition(data, condition_type, params) in (True, False)
