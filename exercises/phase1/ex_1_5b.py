"""Exercise 1-5b: a message that is still true, and still on time, when its task starts."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from celery.exceptions import TimeoutError as NoResult

from celerylab import lab
from celerylab.views.queues import Message
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from labtasks import users

TITLE = "Remind a customer"

TEXT = """
A shop in Tokyo reminds its customers by mail, 24 hours before each delivery. Complete
`tasks_1_5b.py`:

- The site calls `plan(user, delivery)`. `user` is a row of the table `users`, with `id`, `username`
  and `email`. `delivery` is a datetime without a zone, by the clocks of Tokyo. `plan` sends the task
  `remind` once, to start 24 hours before the delivery.
- The worker runs `remind`. It writes to the address that the user has *then*; `write(email)` sends
  the mail.

`check` calls `plan` and looks at the message that waits. Then it changes the user's address in the
table, starts a worker, and opens the mail.
"""

HINTS = [
    "Which value of the user never changes? What does the worker need to ask the table with it?",
    '`zoneinfo.ZoneInfo("Asia/Tokyo")` is the zone. `delivery.replace(tzinfo=...)` puts a time into it.',
    "`remind.apply_async((user.id,), eta=...)`, and in the task `users.find(user_id).email`.",
]

FEEDBACK = {
    "right": "One message, {bytes} bytes long, to start at the right moment. The mail went to {found}.",
    "no_plan": "`tasks_1_5b.py` has no function `plan`.",
    "nothing_sent": "`plan` returned, and no message waits in the queue reminders.",
    "too_many": "`plan` was called once, and {n} messages wait in the queue reminders.",
    "no_eta": "The message holds no time: a worker would start its task at once.",
    "wrong_time": (
        "The worker would start the task {hours:g} hours too {way}. In the message its time is {eta}. The "
        "delivery was {delivery}, in Tokyo."
    ),
    "failed": "The worker was sent the task. Its state is {state}, and its result is {error}.",
    "no_mail": "The task ended well, but no mail arrived.",
    "old_address": (
        "The user had a new address when the worker started, {expected}. The mail went to {found}. What "
        "was in the message? {args}"
    ),
}

MODULE = """%%writefile tasks_1_5b.py
import os
from datetime import timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from celery import Celery
from labtasks import mail, users

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_1_5b", broker=url, backend=url)
app.conf.task_default_queue = "reminders"


def write(email):
    message = EmailMessage()
    message["To"], message["Subject"] = email, "Your delivery comes tomorrow"
    mail.send(message)


@app.task
def remind(customer):
    write(users.find(customer).email)


def plan(user, delivery):
    start = delivery.replace(tzinfo=ZoneInfo("Asia/Tokyo")) - timedelta(days=1)
    remind.apply_async((user.id,), eta=start)
"""

ZONE = '.replace(tzinfo=ZoneInfo("Asia/Tokyo"))'
FIND = "users.find(customer).email"

SOLUTION = MODULE

WRONG = {
    "wrong_time": [
        MODULE.replace(ZONE, ""),
        MODULE.replace(ZONE, "").replace(
            "\n\n\ndef write", '\napp.conf.timezone = "Asia/Tokyo"\n\n\ndef write'
        ),
        MODULE.replace(" - timedelta(days=1)", ""),
    ],
    "old_address": [
        MODULE.replace("(user.id,)", "(user.email,)").replace(FIND, "customer"),
        MODULE.replace("(user.id,)", '({"id": user.id, "email": user.email},)').replace(
            FIND, 'customer["email"]'
        ),
    ],
    "raised": MODULE.replace("(user.id,)", "(user,)").replace(FIND, "customer.email"),
    "failed": MODULE.replace(FIND, "customer.email"),
    "no_eta": MODULE.replace("remind.apply_async((user.id,), eta=start)", "remind.delay(user.id)"),
    "nothing_sent": MODULE.replace("remind.apply_async((user.id,), eta=start)", "remind(user.id)"),
}

QUEUE = "reminders"
TOKYO = ZoneInfo("Asia/Tokyo")
OLD, NEW = "aiko@old.example", "aiko@new.example"
DAY = timedelta(days=1)
SLACK = timedelta(minutes=2)  # a countdown begins when the task is sent
TIMEOUT = 15.0  # s


def check(answer: str) -> Outcome:
    """Let the learner's ``plan`` send; read the message, then let a worker run it."""
    if unfinished(answer):
        return not_attempted()
    lab.redis.delete(QUEUE)
    # a moment ago, so that the worker starts the task at once
    moment = datetime.now(UTC).replace(microsecond=0) - SLACK / 2
    delivery = (moment + DAY).astimezone(TOKYO).replace(tzinfo=None)
    mailbox = lab.mailbox()
    user = users.find(users.register("Aiko", OLD))
    plan = getattr(fresh(answer), "plan", None)
    if not callable(plan):
        return not_right("no_plan")
    call(plan, user, delivery)
    n = lab.redis.llen(QUEUE)
    if n != 1:
        lab.redis.delete(QUEUE)
        return not_right("too_many", n=n) if n else not_right("nothing_sent")
    message = lab.peek(QUEUE)
    wrong = _wrong_time(message, moment, delivery)
    if wrong:
        lab.redis.delete(QUEUE)
        return wrong
    users.change_email(user.id, NEW)
    result = lab.client.AsyncResult(message.headers["id"])
    with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
        with contextlib.suppress(NoResult):
            result.get(timeout=TIMEOUT, propagate=False)
        worker.kill()
    if result.state != "SUCCESS":
        return not_right("failed", state=result.state, error=repr(result.result))
    if not len(mailbox):
        return not_right("no_mail")
    found = ", ".join(str(mail["To"]) for mail in mailbox)
    if found != NEW:
        return not_right("old_address", found=found, expected=NEW, args=json.dumps(message.body[:2]))
    return right(bytes=len(message.raw), found=found)


def _wrong_time(message: Message, moment: datetime, delivery: datetime) -> Outcome | None:
    eta = message.headers["eta"]
    if eta is None:
        return not_right("no_eta")
    start = datetime.fromisoformat(eta)
    # a worker takes a time without a zone for one in UTC
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    if abs(start - moment) <= SLACK:
        return None
    hours = round((start - moment) / timedelta(hours=1), 1)
    way = "late" if hours > 0 else "early"
    return not_right("wrong_time", hours=abs(hours), way=way, eta=eta, delivery=delivery)
