"""Exercise 2-7b: rules of a message, all checked before anything is sent."""

from types import ModuleType
from typing import Any

from celerylab import lab
from celerylab.errors import LabError
from exercises import Outcome, call, learners_code, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Check rules first"

TEXT = """
A rule looks like this:
`{"if": "costs_at_least", "params": {"limit": 50}, "task": "gift_wrap"}`.

1. Register `goes_to` as a condition. `cancel` is none, and stays as it is.
2. Complete `process_order(order, rules)` in `tasks_2_7b.py`. For each rule whose condition holds, it
   sends the task with the order's `id`, in the order of the rules. It returns the names of these tasks.
3. A rule that names what is not in `CONDITIONS`, or a task that is not in `STARTABLE`, is refused with a
   `ValueError` that says the name, whether its condition holds or not. Then nothing is sent at all.

`check` calls `process_order` in the notebook, with good rules and with bad ones among good ones. No
worker runs, so it finds all that you sent in the queue.
"""

HINTS = [
    "How many times do you have to go through the rules, if nothing may be sent before all are checked?",
    "A name that came with the message may be a key of a dictionary of yours, and nothing else.",
    "First loop: `if rule['if'] not in CONDITIONS: raise ValueError(...)`, and the same for the task. "
    "Second loop: evaluate and send.",
]

FEEDBACK = {
    "right": "Good rules sent {sent}. {n} lists with a bad rule were refused, and the queue stayed empty.",
    "not_registered": "`goes_to` is not in CONDITIONS. How does `costs_at_least` get there?",
    "wrong_tasks": "For the rules {rules} these tasks lay in the queue: {found}. It should be {expected}.",
    "wrong_arguments": "`{task}` was sent with the arguments {found}; it takes the order's id, {expected}.",
    "wrong_return": "`process_order` sent {expected} and returned {found!r}.",
    "not_refused": (
        "One of the rules was {rule}. `process_order` returned {found!r}, and raised nothing. "
        "Which names may a message give?"
    ),
    "called": "One of the rules was {rule}, and `cancel` was called: the order is cancelled now.",
    "no_value_error": "One of the rules was {rule}. It raised {error}; the text asks for a ValueError.",
    "no_name": "One of the rules was {rule}. The ValueError says {error!r}, which does not hold {name!r}.",
    "sent_before": (
        "One of the rules was {rule}, and it was refused. But these tasks lay in the queue: {found}. "
        "When were they sent?"
    ),
}

MODULE = """%%writefile tasks_2_7b.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_7b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-7b"
CONDITIONS = {{}}


def condition(test):
    CONDITIONS[test.__name__] = test
    return test


@condition
def costs_at_least(order, limit):
    return order["total"] >= limit


{register}def goes_to(order, country):
    return order["country"] == country


def cancel(order, reason):
    order["cancelled"] = reason
    return True


@app.task
def gift_wrap(order_id):
    return order_id


@app.task
def customs_form(order_id):
    return order_id


@app.task
def refund(order_id):
    return order_id


STARTABLE = {{"gift_wrap": gift_wrap, "customs_form": customs_form}}


@app.task
def process_order(order, rules):
    {answer}
"""


def _module(answer: str, register: str = "@condition\n") -> str:
    return MODULE.format(answer=answer, register=register)


CHECKED = """for rule in rules:
        if rule["if"] not in CONDITIONS:
            raise ValueError(f"there is no condition {rule['if']!r}")
        if rule["task"] not in STARTABLE:
            raise ValueError(f"there is no task {rule['task']!r}")
    sent = []
    for rule in rules:
        if CONDITIONS[rule["if"]](order, **rule["params"]):
            STARTABLE[rule["task"]].delay(order["id"])
            sent.append(rule["task"])
    return sent"""

ONE_LOOP = """sent = []
    for rule in rules:
        if rule["if"] not in CONDITIONS:
            raise ValueError(f"there is no condition {rule['if']!r}")
        if rule["task"] not in STARTABLE:
            raise ValueError(f"there is no task {rule['task']!r}")
        if CONDITIONS[rule["if"]](order, **rule["params"]):
            STARTABLE[rule["task"]].delay(order["id"])
            sent.append(rule["task"])
    return sent"""

GLOBALS = """sent = []
    for rule in rules:
        test = globals().get(rule["if"])
        if test and test(order, **rule["params"]):
            app.tasks["tasks_2_7b." + rule["task"]].delay(order["id"])
            sent.append(rule["task"])
    return sent"""

SILENT = """sent = []
    for rule in rules:
        if rule["if"] in CONDITIONS and CONDITIONS[rule["if"]](order, **rule["params"]):
            if rule["task"] in STARTABLE:
                STARTABLE[rule["task"]].delay(order["id"])
                sent.append(rule["task"])
    return sent"""

LATE = """due = []
    for rule in rules:
        if rule["if"] not in CONDITIONS:
            raise ValueError(f"there is no condition {rule['if']!r}")
        if CONDITIONS[rule["if"]](order, **rule["params"]):
            if rule["task"] not in STARTABLE:
                raise ValueError(f"there is no task {rule['task']!r}")
            due.append(rule["task"])
    for name in due:
        STARTABLE[name].delay(order["id"])
    return due"""

SOLUTION = _module(CHECKED)

WRONG = {
    "sent_before": _module(ONE_LOOP),
    "called": _module(GLOBALS),
    "not_refused": [
        _module(SILENT),
        _module(LATE),
        _module(
            CHECKED.replace('rule["task"] not in STARTABLE', '"tasks_2_7b." + rule["task"] not in app.tasks')
        ),
    ],
    "not_registered": _module(CHECKED, ""),
    "no_value_error": _module(
        "return [STARTABLE[r['task']].delay(order['id']) and r['task'] for r in rules "
        "if CONDITIONS[r['if']](order, **r['params'])]"
    ),
    "no_name": _module(CHECKED.replace("{rule['if']!r}", "of that name").replace('f"there', '"there')),
    "wrong_tasks": _module(
        CHECKED.replace('if CONDITIONS[rule["if"]](order, **rule["params"]):', "if True:")
    ),
    "wrong_return": _module(CHECKED.replace("return sent", "return len(sent)")),
    "wrong_arguments": _module(CHECKED.replace('delay(order["id"])', "delay(order)")),
}

QUEUE = "exercise-2-7b"
DEAR = {"if": "costs_at_least", "params": {"limit": 50}, "task": "gift_wrap"}
CHEAP = {"if": "costs_at_least", "params": {"limit": 1000}, "task": "gift_wrap"}
ABROAD = {"if": "goes_to", "params": {"country": "NZ"}, "task": "customs_form"}
GOOD = [DEAR, CHEAP, ABROAD]
EXPECTED = ["gift_wrap", "customs_form"]
BAD = [  # each with the name that must be refused
    ({"if": "cancel", "params": {"reason": "a message said so"}, "task": "gift_wrap"}, "cancel"),
    ({"if": "is_friday", "params": {}, "task": "gift_wrap"}, "is_friday"),
    ({**ABROAD, "task": "drop_everything"}, "drop_everything"),
    ({**CHEAP, "task": "refund"}, "refund"),
]


def check(answer: str) -> Outcome:
    """Call the learner's task with good rules and with bad ones, and look into the queue."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if "goes_to" not in module.CONDITIONS:
        return not_right("not_registered")
    try:
        return _check_good(module) or _check_bad(module) or right(sent=" and ".join(EXPECTED), n=len(BAD))
    finally:
        lab.redis.delete(QUEUE)


def _check_good(module: ModuleType) -> Outcome | None:
    lab.redis.delete(QUEUE)
    order = _order()
    found = call(module.process_order, order, [dict(rule) for rule in GOOD])
    sent = _sent()
    names = [name for name, _args in sent]
    if names != EXPECTED:
        return not_right("wrong_tasks", rules=GOOD, found=_listed(names), expected=_listed(EXPECTED))
    for name, args in sent:
        if args != [order["id"]]:
            return not_right("wrong_arguments", task=name, found=args, expected=order["id"])
    if found != EXPECTED:
        return not_right("wrong_return", found=found, expected=_listed(EXPECTED))
    return None


def _check_bad(module: ModuleType) -> Outcome | None:
    for bad, name in BAD:
        lab.redis.delete(QUEUE)
        order, rules = _order(), [dict(DEAR), dict(ABROAD), dict(bad)]
        error, found = _refusal(module, order, rules)
        sent = [name for name, _args in _sent()]
        if "cancelled" in order:
            return not_right("called", rule=bad)
        if error is None:
            return not_right("not_refused", rule=bad, found=found)
        if sent:
            key = "sent_before" if isinstance(error, ValueError) else "no_value_error"
            return not_right(key, rule=bad, found=_listed(sent), error=repr(error))
        if not isinstance(error, ValueError):
            return not_right("no_value_error", rule=bad, error=repr(error))
        if name not in str(error):
            return not_right("no_name", rule=bad, error=str(error), name=name)
    return None


def _refusal(module: ModuleType, order: dict[str, Any], rules: list[Any]) -> tuple[Exception | None, object]:
    with learners_code():
        try:
            return None, module.process_order(order, rules)
        except LabError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is judged
            return error, None


def _order() -> dict[str, Any]:
    return {"id": 7, "total": 80, "country": "NZ"}


def _sent() -> list[tuple[str, list[Any]]]:
    """Return what lies in the queue, oldest first."""
    messages = [lab.peek(QUEUE, index) for index in range(lab.redis.llen(QUEUE))]
    return [
        (each.headers["task"].rpartition(".")[2], [*each.body[0], *each.body[1].values()])
        for each in messages
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
