"""The Flask site as a visitor meets it: served, with a worker, a broker that goes away, a mail server."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from celerylab import Lab
from celerylab.stack.broker import Broker
from celerylab.stack.server import Server
from celerylab.stack.waiting import wait_for
from labtasks.database import User, engine

SITE, WORKER = "labtasks.web.site:create_app()", "labtasks.web.site.worker"
SOON = 4.0  # s: two attempts of a second each, on a machine that is busy
FORM = {"username": "Aiko", "email": "aiko@example.com"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            patch.setenv("CELERYLAB_DATABASE_URL", request.getfixturevalue("postgresql"))
        made.start()
        if request.param == "postgresql":  # the lab has set its own
            patch.setenv("CELERYLAB_DATABASE_URL", request.getfixturevalue("postgresql"))
        yield made
        made.stop()


@pytest.fixture(scope="module")
def broker(lab: Lab) -> Broker:
    """A broker for the site alone, so that it can be taken away."""
    return lab.broker()


@pytest.fixture(scope="module")
def site(lab: Lab, broker: Broker) -> Iterator[Server]:
    with (
        lab.worker(WORKER, concurrency=2, broker=broker) as worker,
        lab.serve(SITE, env={"CELERYLAB_BROKER_URL": broker.url}) as server,
    ):
        yield server
        worker.kill()


@pytest.fixture
def visitor(site: Server, broker: Broker) -> Iterator[httpx.Client]:
    broker.start()
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=30) as client:
        yield client


def named(name: str) -> dict[str, str]:
    return {"username": name, "email": f"{name}@example.com"}


def mail_of(page: httpx.Response) -> str:
    found = re.search(r'href="(/mails/[0-9a-f-]{36})"', page.text)
    assert found, page.text
    return found[1]


def rows(email: str) -> int:
    with Session(engine()) as session:
        return session.scalar(select(func.count()).select_from(User).where(User.email == email)) or 0


def until_state(visitor: httpx.Client, mail: str, state: str) -> None:
    wait_for(1, state, lambda: [True] if visitor.get(mail).json()["state"] == state else [], 20)


def test_who_registers_is_led_on_told_so_once_and_gets_the_mail(lab: Lab, visitor: httpx.Client) -> None:
    mailbox = lab.mailbox()
    answer = visitor.post("/register", data=FORM, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    page = visitor.get("/login")
    assert "A welcome mail is on its way" in page.text
    assert "on its way" not in visitor.get("/login").text
    (message,) = mailbox.wait(1)
    assert (message["To"], message["Subject"]) == ("aiko@example.com", "Welcome to Celery Lab")
    assert message.get_content().splitlines()[0] == "Hello Aiko,"
    until_state(visitor, mail_of(page), "SUCCESS")


def test_two_clicks_register_once_and_send_one_mail(lab: Lab, visitor: httpx.Client) -> None:
    mailbox = lab.mailbox()
    form = named("twice")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: visitor.post("/register", data=form), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert rows(form["email"]) == 1
    mailbox.wait(1)
    visitor.post("/register", data=named("after"))
    assert sorted(message["To"] for message in mailbox.wait(2)) == ["after@example.com", "twice@example.com"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"username": " "}, "Enter a name"),
        ({"username": "a" * 81}, "Enter a name"),
        ({"email": "aiko"}, "Enter an e-mail address"),
        ({"email": "aiko@b.example\nBcc: all@b.example"}, "Enter an e-mail address"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    visitor: httpx.Client, change: dict[str, str], problem: str
) -> None:
    form = {"username": "<b>Kenji</b>", "email": "wrong@example.com"} | change
    answer = visitor.post("/register", data=form)
    assert answer.status_code == 422
    assert problem in answer.text
    assert "<b>Kenji" not in answer.text
    assert rows(form["email"]) == 0


def test_an_id_that_was_never_given_is_not_found(visitor: httpx.Client) -> None:
    answer = visitor.get("/mails/00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404


def test_without_a_broker_a_visitor_is_registered_soon_and_the_mail_follows_once(
    lab: Lab, visitor: httpx.Client, broker: Broker
) -> None:
    mailbox = lab.mailbox()
    broker.stop()
    began = time.monotonic()
    page = visitor.post("/register", data=named("patient"))
    assert page.status_code == 200
    assert "will follow a little later" in page.text
    assert visitor.get(mail_of(page)).status_code == 503
    assert time.monotonic() - began < 2 * SOON
    broker.start()
    until_state(visitor, mail_of(page), "PENDING")
    # Beat would send this every five minutes; twice, as two that overlap would
    for _ in range(2):
        send_missing(broker)
    mailbox.wait(1)
    until_state(visitor, mail_of(page), "SUCCESS")
    send_missing(broker)
    visitor.post("/register", data=named("last"))
    assert [message["To"] for message in mailbox.wait(2)] == ["patient@example.com", "last@example.com"]


def send_missing(broker: Broker) -> None:
    from celerylab.stack.control import client

    name = "labtasks.web.site.tasks.send_missing_mails"
    client(broker.url).send_task(name, (0,), queue="site").get(timeout=20)
