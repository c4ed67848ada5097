"""A web process says soon that a broker is down, in whichever way it is."""

import socket
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from celerylab.stack.broker import Broker
from labtasks.web.sending import BrokerDown, hurry, reaching, send

SOON = 10.0  # s; Celery alone takes 19


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker("broker-sending") as made:
        yield made


def app_of(url: str) -> Celery:
    app = Celery("web", set_as_current=False)
    app.conf.update(broker_read_url=url, broker_write_url=url, result_backend=url)
    app.conf.broker_transport_options = {"visibility_timeout": 60}

    @app.task(name="task", shared=False)
    def task():
        """Never run: no worker listens."""

    hurry(app)
    return app


@pytest.mark.parametrize("used", [True, False], ids=["connected", "fresh"])
def test_a_stopped_broker_is_told_soon_and_used_again_when_it_is_back(broker: Broker, used: bool) -> None:
    app = app_of(broker.start().url)
    if used:
        send(app.tasks["task"])
    broker.stop()
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(BrokerDown):
            send(app.tasks["task"])
        with pytest.raises(BrokerDown), reaching():
            app.AsyncResult("id").state  # noqa: B018
    assert time.monotonic() - began < 4 * SOON
    broker.start()
    assert send(app.tasks["task"], task_id="after").state == "PENDING"
    with broker.redis() as client:
        assert client.llen("celery") == 1


def test_a_broker_that_never_answers_is_told_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = app_of(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        with pytest.raises(BrokerDown):
            send(app.tasks["task"])
        assert time.monotonic() - began < SOON


def test_other_errors_and_the_apps_own_options_stay(broker: Broker) -> None:
    app = app_of(broker.start().url)
    assert app.conf.broker_transport_options["visibility_timeout"] == 60
    with pytest.raises(RuntimeError, match="mine"), reaching():
        raise RuntimeError("mine")
