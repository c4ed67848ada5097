"""Exercise 3-1b: an entry with arguments and options, judged by what Beat really sent."""

import time
from datetime import datetime

from celerylab import lab
from celerylab.stack.waiting import PAUSE
from celerylab.views.queues import Message
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Let Beat send a reminder"

TEXT = """
Write the entry `remind` in `tasks_3_1b.py`: every half second, Beat sends the task `remind` with the reader
`"Emma"` and `days=3`, into the queue `reminders`, and each message expires 10 seconds after it was sent.

`check` starts your Beat, no worker, and waits until three messages lie in `reminders`. It reads them:
the task's name, the arguments, when they expire, and how far apart they were sent.
"""

HINTS = [
    "The lesson's entry `greet` has all the keys that you need.",
    "A task's name is that of its module, a dot, and that of its function.",
    '`("Emma")` is a text in brackets. A tuple of one thing has a comma.',
]

FEEDBACK = {
    "right": "Three messages, each with args {args!r} and kwargs {kwargs!r}.",
    "no_entry": "`app.conf.beat_schedule` should have an entry 'remind'. It has: {names}.",
    "elsewhere": (
        "Beat sent {n} messages into {queue!r}, and {reminders} into 'reminders'. "
        "Where does an entry say what `apply_async` is told?"
    ),
    "refused": "Beat could not send the task, and says so in its log: {problem}",
    "too_seldom": "In {seconds:g} seconds Beat sent {n} messages. An interval is a number of seconds.",
    "wrong_name": (
        "The messages ask for the task {found!r}. Under that name no worker knows it; yours knows {known!r}."
    ),
    "wrong_arguments": "The messages carry args {args!r} and kwargs {kwargs!r}. See what the text asks for.",
    "no_expiry": "The messages never expire.",
    "wrong_expiry": "A message expires {found:.1f} seconds after it was sent, not 10.",
    "too_often": "Three messages came within {found:.1f} seconds.",
}

MODULE = """%%writefile tasks_3_1b.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_3_1b", broker=url, backend=url)
app.conf.beat_schedule = {
    "remind": {
        "task": "tasks_3_1b.remind",
        "schedule": 0.5,
        "args": ("Emma",),
        "kwargs": {"days": 3},
        "options": {"queue": "reminders", "expires": 10},
    },
}


@app.task
def remind(reader, *, days):
    return f"{reader}: {days} days left"
"""

SOLUTION = MODULE

WRONG = {
    "refused": [
        MODULE.replace('("Emma",)', '("Emma")'),
        MODULE.replace('"args": ("Emma",),', '"args": ("Emma", 3),').replace('"kwargs": {"days": 3},', ""),
    ],
    "wrong_name": MODULE.replace('"tasks_3_1b.remind"', '"remind"'),
    "elsewhere": MODULE.replace('"queue": "reminders", ', ""),
    "no_expiry": MODULE.replace(', "expires": 10', ""),
    "wrong_expiry": MODULE.replace('"expires": 10', '"expires": 600'),
    "wrong_arguments": MODULE.replace('"days": 3', '"days": "3"'),
    "too_seldom": MODULE.replace('"schedule": 0.5', '"schedule": timedelta(minutes=1)').replace(
        "import os\n", "import os\nfrom datetime import timedelta\n"
    ),
    "too_often": MODULE.replace('"schedule": 0.5', '"schedule": 0.1'),
    "no_entry": MODULE.replace('"remind": {', '"reminder": {'),
    "raised": [
        MODULE.replace('"options": {"queue": "reminders", "expires": 10}', '"queue": "reminders"'),
        MODULE.replace('"kwargs": {"days": 3}', '"kwargs": 3'),
    ],
}

ENTRY, QUEUE = "remind", "reminders"
N = 3  # messages
ARGUMENTS = [["Emma"], {"days": 3}]
EXPIRES = 10.0  # s
SECONDS = 6.0  # s, that three messages may take
CLOSEST = 0.6  # s from the first to the third: nominally 1, less if Beat was late with the first
REFUSED = "SchedulingError: "


def check(answer: str) -> Outcome:
    """Start the learner's Beat without a worker, and read what it sends."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    app = getattr(module, "app", None)
    entries = app.conf.beat_schedule if app else {}
    if not app or ENTRY not in entries:
        return not_right("no_entry", names=", ".join(entries) or "none")
    default = app.conf.task_default_queue
    lab.redis.delete(QUEUE, default)
    try:
        return _sent(answer, default) or _judged(
            _messages(), getattr(getattr(module, ENTRY, None), "name", "none")
        )
    finally:
        lab.redis.delete(QUEUE, default)


def _sent(answer: str, default: str) -> Outcome | None:
    """Wait until the messages are there; say what came instead if they are not."""
    beat = lab.beat(answer)
    deadline = time.monotonic() + SECONDS
    refused: list[str] = []
    elsewhere = n = 0
    while n < N and elsewhere < N and not refused and time.monotonic() < deadline:
        time.sleep(PAUSE)
        n, elsewhere = lab.redis.llen(QUEUE), lab.redis.llen(default)
        refused = [line for line in beat.log(REFUSED) if line.startswith("celery.")]
    beat.kill()
    if n >= N:
        return None
    if refused:
        return not_right("refused", problem=refused[0].partition(REFUSED)[2])
    if elsewhere:
        return not_right("elsewhere", n=elsewhere, queue=default, reminders=n)
    return not_right("too_seldom", seconds=SECONDS, n=n)


def _messages() -> list[Message]:
    return [Message(raw) for raw in reversed(lab.redis.lrange(QUEUE, 0, -1))][:N]


def _judged(messages: list[Message], known: str) -> Outcome:
    first = messages[0]
    name, (args, kwargs, _) = first.headers["task"], first.body
    if name != known:
        return not_right("wrong_name", found=name, known=known)
    if [args, kwargs] != ARGUMENTS:
        return not_right("wrong_arguments", args=args, kwargs=kwargs)
    if not first.headers["expires"]:
        return not_right("no_expiry")
    expires = float(first.properties["expiration"]) / 1000
    if abs(expires - EXPIRES) > 0.5:
        return not_right("wrong_expiry", found=expires)
    # each expires the same time after it was sent
    ends = [datetime.fromisoformat(message.headers["expires"]) for message in messages]
    seconds = (ends[-1] - ends[0]).total_seconds()
    if seconds < CLOSEST:
        return not_right("too_often", found=seconds)
    return right(args=args, kwargs=kwargs)
