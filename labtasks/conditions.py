"""Tasks sent on conditions that a message brings along: it may name only what is registered here."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

import msgspec
from celery import Task

from labtasks.app import app
from labtasks.parameters import BadParameters, check, known, read

Test = Callable[..., bool]

CONDITIONS: dict[str, Test] = {}
FUNCTIONS: dict[str, Test] = {}
MINUTES_TO_ANSWER = {"normal": 24 * 60, "high": 60, "urgent": 15}
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class BadCondition(BadParameters):
    """A condition that cannot be evaluated, or whose task cannot be sent."""


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One condition, and the task to send if it holds."""

    type: str
    params: dict[str, Any]
    task: str
    task_params: dict[str, Any] = {}


class Scheduled(TypedDict):
    """A task that ``conditional_processing`` has sent."""

    condition: str
    task: str
    task_id: str
    status: str


def condition(test: Test) -> Test:
    """Register a condition type under the function's name; its keywords are the parameters."""
    CONDITIONS[test.__name__] = test
    return test


def function(test: Test) -> Test:
    """Register a function that conditions of the type ``custom_function`` may name."""
    FUNCTIONS[test.__name__] = test
    return test


@condition
def value_equals(data: Mapping[str, Any], /, *, field: str, value: Any) -> bool:
    """Whether a field is there and holds this value."""
    return field in data and bool(data[field] == value)


@condition
def value_greater_than(data: Mapping[str, Any], /, *, field: str, threshold: Any) -> bool:
    """Whether a field is there and holds more than this."""
    try:
        return field in data and bool(data[field] > threshold)
    except TypeError:
        raise BadCondition(
            f"field {field!r} holds {data[field]!r}, which cannot be compared with {threshold!r}"
        ) from None


@condition
def field_exists(data: Mapping[str, Any], /, *, field: str) -> bool:
    """Whether there is a field of this name."""
    return field in data


@condition
def custom_function(data: Mapping[str, Any], /, *, function: str, **params: Any) -> bool:
    """Whether a registered function says so."""
    test = known(FUNCTIONS, "custom function", function)
    check(test, function, params)
    return test(data, **params)


@function
def any_missing(data: Mapping[str, Any], /, *, fields: list[str]) -> bool:
    """Whether one of the fields is absent or null."""
    return any(data.get(field) is None for field in fields)


@function
def value_between(data: Mapping[str, Any], /, *, field: str, low: float, high: float) -> bool:
    """Whether a field is there and holds a number from ``low`` to ``high``."""
    value = data.get(field)
    return isinstance(value, int | float) and low <= value <= high


def evaluate_condition(data: Mapping[str, Any], condition_type: str, params: Mapping[str, Any]) -> bool:
    """Say whether a condition holds.

    Raises
    ------
    BadCondition
        Names the type, function or parameter that is unknown, missing or unfit.
    """
    try:
        test = known(CONDITIONS, "condition type", condition_type)
        check(test, condition_type, params)
        return test(data, **params)
    except BadParameters as error:
        raise BadCondition(str(error)) from None


@app.task(bind=True)
def high_priority_processing(
    self: "Task[Any, Any]", priority_level: Literal["normal", "high", "urgent"]
) -> dict[str, Any]:
    """Say within which time an answer is due, and by which queue the task came.

    Raises
    ------
    BadParameters
        There is no such level.
    """
    minutes = known(MINUTES_TO_ANSWER, "priority level", priority_level)
    queue = (self.request.delivery_info or {}).get("routing_key")  # none if called directly
    return {"priority_level": priority_level, "minutes_to_answer": minutes, "queue": queue}


@app.task
def validate_data_quality(strict_mode: bool = False) -> dict[str, Any]:
    """Count the registered users whose address is none.

    Parameters
    ----------
    strict_mode
        Users who share an address, whatever its case, are counted, too.
    """
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from labtasks.database import User, engine

    with Session(engine()) as session:
        addresses = [address.strip().lower() for address in session.scalars(select(User.email))]
    used = Counter(addresses)
    faulty = sum(
        not ADDRESS.fullmatch(address) or (strict_mode and used[address] > 1) for address in addresses
    )
    return {"checked": len(addresses), "faulty": faulty, "strict_mode": strict_mode}


# what a condition may start; not app.tasks, where every task of the worker is
STARTABLE: dict[str, Any] = {
    "high_priority_processing": high_priority_processing,
    "validate_data_quality": validate_data_quality,
}


@app.task
def conditional_processing(data: dict[str, Any], conditions: dict[str, Any]) -> list[Scheduled]:
    """Send the task of each condition that holds.

    Parameters
    ----------
    data
        What the conditions are about.
    conditions
        By name: ``type`` and ``params`` of the condition, ``task`` and ``task_params`` of
        the task to send.

    Raises
    ------
    BadCondition
        One of them, whether it holds or not, names what is not registered, or has parameters
        that do not fit; nothing was sent.
    BadParameters
        ``data`` or ``conditions`` is no dictionary.
    """
    check(conditional_processing.run, "conditional_processing", {"data": data, "conditions": conditions})
    due = []
    for name, given in conditions.items():
        try:
            rule = read(given, Rule, "the rule")
            task = known(STARTABLE, "task", rule.task)
            check(task.run, rule.task, rule.task_params)
            if evaluate_condition(data, rule.type, rule.params):
                due.append((name, rule, task))
        except BadParameters as error:
            raise BadCondition(f"condition {name!r}: {error}") from None
    scheduled = []
    for name, rule, task in due:
        sent = task.apply_async(kwargs=rule.task_params)
        scheduled.append(Scheduled(condition=name, task=rule.task, task_id=sent.id, status="scheduled"))
    return scheduled
