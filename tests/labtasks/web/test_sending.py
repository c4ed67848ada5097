"""A web process says soon that a broker is down, in whichever way it is."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from celery import Celery

from celerylab.stack.broker import Broker
from labtasks.web.sending import BrokerDown, hurry, reaching, send
from tests.processes import within

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


def connections(broker: Broker) -> set[int]:
    """Return the ports from which this process is connected to a broker."""
    mine = psutil.Process().net_connections("tcp")
    return {each.laddr.port for each in mine if each.raddr and each.raddr.port == broker.port}


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


def test_a_broker_that_hangs_for_a_while_is_told_by_the_first_message_to_a_queue(broker: Broker) -> None:
    app = app_of(broker.start().url)
    task = app.tasks["task"]
    task.ignore_result = True  # else the store of results is asked first, which hangs, too
    send(task)
    before = connections(broker)
    server = psutil.Process(broker.process.pid)
    with ThreadPoolExecutor() as beside:
        server.suspend()
        try:
            sent = beside.submit(send, task, queue="seldom")
            # the first try of the declaration has timed out, and the second is on its way
            assert within(SOON, lambda: sent.done() or bool(connections(broker) - before))
        finally:
            server.resume()
    assert isinstance(sent.exception(), BrokerDown)
    assert send(task, queue="seldom").id
    with broker.redis() as client:
        assert client.llen("seldom") == 1


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
