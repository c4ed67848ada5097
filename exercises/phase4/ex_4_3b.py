"""Exercise 4-3b: a registration that stands, whatever the broker does."""

import base64
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import OperationalError

from celerylab import lab
from celerylab.stack.broker import Broker
from exercises import Outcome, not_attempted, not_right, right, unfinished
from labtasks.database import Base, User

TITLE = "Register, whatever the broker does"

TEXT = f"""
Complete the view `register` in `site_4_3b.py`.

- It commits the user, and only then sends `welcome` with the user's id.
- It answers with a redirect to `/login` (status 303), within {5:g} s.
- All this holds while the broker is down, too; only the message is missing then.

`check` posts a form to your site, and holds up the commit to see what you send before it. Then it
stops the broker, and posts two more.
"""

HINTS = [
    "`with Session(engine()) as session:`, then `add`, `commit`, and `send(welcome, (user.id,))`.",
    "`send` raises `BrokerDown`, soon if `hurry(celery)` was called before. Who is registered all the same?",
    '`return "", 303, {"Location": "/login"}`, or `flask.redirect("/login", 303)`.',
]

FEEDBACK = {
    "right": "Three visitors are registered. The message was sent after the commit, and nobody waited long.",
    "error": "With a broker at hand, the site answered with an error. Its log ends with: {log}",
    "no_redirect": "The site answered with {status} and Location {location!r}.",
    "not_stored": "The site answered, and the table holds {found} users with that address.",
    "no_message": "The user is stored, and no message came into the queue {queue!r}.",
    "wrong_id": "The message has the arguments {found}. The user's id is {expected}.",
    "too_early": (
        "The message lay in the queue while the commit was held up. A worker would have looked for a user "
        "that nobody can see yet."
    ),
    "kept_waiting": (
        "The broker was down, and after {seconds:g} s there was no answer. How long may sending take?"
    ),
    "showed_error": (
        "The broker was down. The user was stored, and the visitor saw status {status}. They will try again."
    ),
    "lost": "The broker was down. The site answered with {status}, and the user is not in the table.",
}

MODULE = """%%writefile site_4_3b.py
import os

from celery import Celery
from flask import Flask, redirect, request
from sqlalchemy.orm import Session

from labtasks.database import User, engine
from labtasks.web.sending import BrokerDown, hurry, send

url = os.environ["CELERYLAB_BROKER_URL"]
celery = Celery("site_4_3b", broker=url, backend=url)
celery.conf.task_default_queue = "exercise-4-3b"
{hurry}app = Flask("site_4_3b")


@celery.task
def welcome(user_id):
    pass


@app.post("/register")
def register():
    user = User(username=request.form["username"], email=request.form["email"])
    with Session(engine()) as session:
        session.add(user)
        {steps}
    return redirect("/login", 303)
"""

CAREFUL = "try:\n            send(welcome, (user.id,))\n        except BrokerDown:\n            pass"


def _module(*steps: str, hurry: str = "hurry(celery)\n") -> str:
    return MODULE.format(steps="\n        ".join(steps), hurry=hurry)


SOLUTION = _module("session.commit()", CAREFUL)

WRONG = {
    "too_early": _module("session.flush()", CAREFUL, "session.commit()"),
    "wrong_id": _module("sent = user.id", "session.commit()", CAREFUL.replace("user.id", "sent")),
    "kept_waiting": _module("session.commit()", "welcome.delay(user.id)", hurry=""),
    "showed_error": _module("session.commit()", "send(welcome, (user.id,))"),
    "lost": _module(
        "session.commit()",
        "try:\n            send(welcome, (user.id,))\n        except BrokerDown:\n"
        "            session.delete(user)\n            session.commit()",
    ),
}

QUEUE = "exercise-4-3b"
SOON = 5.0  # s
BEGUN = 20.0  # s until the view has begun to write
HELD = 0.7  # s that the commit is then held up: plenty for a message that doesn't wait for it
PAUSE = 0.01  # s


def check(answer: str) -> Outcome:
    """Post a form while a reader holds up the commit, and others while the broker is down."""
    if unfinished(answer):
        return not_attempted()
    broker = lab.broker()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder, 'site.sqlite3')}"
        database = create_engine(url, connect_args={"timeout": 0, "check_same_thread": False})
        Base.metadata.create_all(database)
        env = {"CELERYLAB_BROKER_URL": broker.url, "CELERYLAB_DATABASE_URL": url}
        try:
            with (
                lab.serve(f"{answer}:app", env=env) as site,
                httpx.Client(base_url=site.url, timeout=BEGUN) as visitor,
            ):
                found = _with_a_broker(visitor, database, broker)
                if found is None:
                    broker.stop()
                    found = _without_a_broker(visitor, database)
                if found is not None and found.key == "error":
                    found = not_right("error", log=" | ".join(site.log(last=1)))
                return found or right()
        finally:
            database.dispose()
            broker.kill()


def _with_a_broker(visitor: httpx.Client, database: Engine, broker: Broker) -> Outcome | None:
    queue = broker.redis()
    # the first message of a process takes longer: it loads and connects what sends it
    visitor.post("/register", data=_form("Ren"))
    queue.delete(QUEUE)
    with ThreadPoolExecutor(1) as pool:
        with database.connect() as reader:
            # who reads lets others write to this file, and holds up their commit
            reader.exec_driver_sql("BEGIN")
            reader.exec_driver_sql("SELECT count(*) FROM users").scalar()
            posting = pool.submit(visitor.post, "/register", data=_form("Aiko"))
            _poll(BEGUN, lambda: posting.done() or _is_written_to(database))
            early = _poll(HELD, lambda: posting.done() or queue.llen(QUEUE)) and not posting.done()
        answer = posting.result()
    if early:
        return not_right("too_early")
    if answer.status_code >= 500:
        return not_right("error", log="")
    if outcome := _look(answer, database, "Aiko"):
        return outcome
    if not queue.llen(QUEUE):
        return not_right("no_message", queue=QUEUE)
    (raw,) = queue.lrange(QUEUE, 0, 0)
    sent = _arguments(raw)
    with database.connect() as connection:
        expected = [connection.scalar(select(User.id).where(User.username == "Aiko"))]
    return None if sent == expected else not_right("wrong_id", found=sent, expected=expected[0])


def _without_a_broker(visitor: httpx.Client, database: Engine) -> Outcome | None:
    names = ("Kenji", "Yuki")  # two: a connection that breaks is noticed sooner than one that can't be made
    try:
        answers = [visitor.post("/register", data=_form(name), timeout=SOON) for name in names]
    except httpx.TimeoutException:
        return not_right("kept_waiting", seconds=SOON)
    for name, answer in zip(names, answers, strict=True):
        if not _rows(database, name):
            return not_right("lost", status=answer.status_code)
        if answer.status_code >= 500:
            return not_right("showed_error", status=answer.status_code)
        if outcome := _look(answer, database, name):
            return outcome
    return None


def _look(answer: httpx.Response, database: Engine, name: str) -> Outcome | None:
    if (rows := _rows(database, name)) != 1:
        return not_right("not_stored", found=rows)
    location = answer.headers.get("Location", "")
    if answer.status_code != 303 or not location.endswith("/login"):
        return not_right("no_redirect", status=answer.status_code, location=location)
    return None


def _form(name: str) -> dict[str, str]:
    return {"username": name, "email": f"{name.lower()}@example.com"}


def _rows(database: Engine, name: str) -> int:
    with database.connect() as connection:
        return connection.scalar(select(func.count()).where(User.username == name)) or 0


def _is_written_to(database: Engine) -> bool:
    with database.connect() as connection:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            return True
        connection.rollback()
        return False


def _arguments(raw: bytes | str) -> list[object]:
    """Return the arguments that a message carries."""
    args, _, _ = json.loads(base64.b64decode(json.loads(raw)["body"]))
    return list(args)


def _poll(seconds: float, holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
