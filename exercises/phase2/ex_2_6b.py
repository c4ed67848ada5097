"""Exercise 2-6b: a router that looks at a task's arguments."""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase2.destination_2_6 import destination

TITLE = "Route by length"

TEXT = """
A cinema converts films. Write the router `by_length`:

- the task `films.convert(film, minutes)` goes to the queue `films.long` if `minutes` is more than 60,
  and to `films.short` otherwise, whichever way the caller gives the minutes;
- for every other task `by_length` decides nothing, and the next router is asked.

`check` makes an app with `task_routes = [by_length, {"films.*": "films.other"}]`. No worker runs. It
sends `films.convert` with 61, 60 and 5 minutes, by position and by keyword. Then it sends
`films.delete(film)` and `films.rate(film, stars)`, and looks where each message went.
"""

HINTS = [
    "A router is called for every message that the app sends. What tells it which task it is?",
    "`args` and `kwargs` are as the caller gave them. The minutes are in one of the two.",
    '`kwargs["minutes"] if "minutes" in kwargs else args[1]`, only after the name was compared.',
]

FEEDBACK = {
    "right": "{n} messages, each in its queue: {long} in films.long, {short} in films.short.",
    "no_function": "The lab got {found}. Hand over the function itself, without calling it.",
    "wrong_queue": (
        "`{sent}` went to {found!r}; it belongs in {expected!r}. Your router was called with "
        "name={name!r}, args={args!r} and kwargs={kwargs!r}."
    ),
}

HEAD = """
def by_length(name, args, kwargs, options, task=None, **_):
"""

SOLUTION = (
    HEAD
    + """    if name != "films.convert":
        return None
    minutes = kwargs["minutes"] if "minutes" in kwargs else args[1]
    return "films.long" if minutes > 60 else "films.short"
"""
)

WRONG = {
    "wrong_queue": [
        HEAD
        + """    if name == "films.convert":
        return "films.long" if kwargs.get("minutes", 0) > 60 else "films.short"
""",
        HEAD
        + """    minutes = kwargs.get("minutes", args[-1])
    if isinstance(minutes, int):
        return "films.long" if minutes > 60 else "films.short"
""",
        HEAD
        + """    if name == "films.convert":
        minutes = kwargs["minutes"] if "minutes" in kwargs else args[1]
        return "films.long" if minutes >= 60 else "films.short"
""",
        SOLUTION.replace("return None", 'return "celery"'),
    ],
    "raised": [
        HEAD + '    return "films.long" if args[1] > 60 else "films.short"\n',
        HEAD
        + """    if name == "films.convert":
        return "films.long" if kwargs["minutes"] > 60 else "films.short"
""",
        SOLUTION.replace(", **_", "").replace(", task=None", ""),
    ],
    "no_function": '\nby_length = {"films.convert": "films.long"}\n',
}

LONG, SHORT, OTHER = "films.long", "films.short", "films.other"
CONVERT = "films.convert"
FILM = "Solaris"
SENT: list[tuple[str, tuple[object, ...], dict[str, object], str]] = [
    (CONVERT, (FILM,), {"minutes": 61}, LONG),
    (CONVERT, (FILM, 61), {}, LONG),
    (CONVERT, (FILM,), {"minutes": 60}, SHORT),
    (CONVERT, (FILM, 5), {}, SHORT),
    ("films.delete", (FILM,), {}, OTHER),
    ("films.rate", (FILM, 5), {}, OTHER),
]


def check(answer: Callable[..., Any]) -> Outcome:
    """Send with an app that asks the learner's router; see where each message goes."""
    if not callable(answer):
        return not_right("no_function", found=repr(answer))
    if unfinished(answer):
        return not_attempted()
    app = Celery("films", broker=lab.url, backend=lab.url, set_as_current=False)
    app.conf.task_routes = [answer, {"films.*": OTHER}]
    try:
        for name, args, kwargs, expected in SENT:
            found = destination(partial(app.send_task, name, args, kwargs))
            if found != expected:
                given = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
                return not_right(
                    "wrong_queue", sent=f"{name}({given})", found=found, expected=expected,
                    name=name, args=args, kwargs=kwargs,
                )  # fmt: skip
    finally:
        lab.redis.delete(LONG, SHORT, OTHER)
    homes = [expected for *_, expected in SENT]
    return right(n=len(SENT), long=homes.count(LONG), short=homes.count(SHORT))
