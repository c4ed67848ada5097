"""``lab``: what a lesson asks of the toolbox, and how it refuses."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from celerylab import Lab
from celerylab.errors import BrokerDown, LabError, NoSuchModule, NotStarted, PortTaken, ProcessFailed, Timeout
from celerylab.stack.broker import Broker
from tests.processes import within

MODULE = """
import os
from celery import Celery
app = Celery("{name}", broker=os.environ["CELERYLAB_BROKER_URL"], backend=os.environ["CELERYLAB_BROKER_URL"])

@app.task
def pid():
    return os.getpid()
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.chdir(tmp_path)
    made = Lab()
    yield made
    made.stop()


def write(name: str, text: str = MODULE) -> str:
    Path(f"{name}.py").write_text(text.format(name=name))
    return name


def test_bundled_worker_has_results_when_start_returns(lab: Lab) -> None:
    lab.start()
    assert lab.client.send_task("labtasks.basics.add", (2, 3), queue="labtasks").get(timeout=10) == 5


def test_second_start_keeps_what_runs(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.start()
    first = lab.bundled.tree, lab.url
    lab.start()
    assert (lab.bundled.tree, lab.url) == first
    one, two = capsys.readouterr().out.split("Celery Lab runs")[1:]
    assert one == two


def test_second_start_replaces_a_worker_that_died(lab: Lab) -> None:
    lab.start()
    died = lab.bundled.pid
    os.kill(died, signal.SIGKILL)
    assert within(10, lambda: not lab.bundled.alive)
    lab.start()
    assert lab.bundled.pid != died
    assert lab.client.send_task("labtasks.basics.add", (2, 3), queue="labtasks").get(timeout=10) == 5


def test_start_after_stop_begins_anew(lab: Lab) -> None:
    lab.start()
    lab.client.send_task("nobody.listens", queue="waiting")
    lab.stop()
    assert "CELERYLAB_BROKER_URL" not in os.environ
    lab.start()
    assert len(lab.queues()) == 0


def test_two_labs_at_once_share_nothing(lab: Lab) -> None:
    other = Lab()
    try:
        lab.start()
        ours = lab.url
        os.environ.pop("CELERYLAB_BROKER_URL")
        other.start()
        lab.client.send_task("nobody.listens", queue="waiting")
        assert other.url != ours
        assert (len(lab.queues()), len(other.queues())) == (1, 0)
    finally:
        other.stop()


def test_broker_address_left_in_the_environment_does_not_win(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    lab.start()
    with lab.worker(write("tasks_env")) as worker:
        assert lab.client.send_task("tasks_env.pid").get(timeout=10) in worker.processes
    lab.stop()
    assert os.environ["CELERY_BROKER_URL"] == "redis://127.0.0.1:1/0"


def test_toolbox_says_to_start_first(lab: Lab) -> None:
    for use in (lambda: lab.queues(), lambda: lab.worker("any"), lambda: lab.mailbox(), lambda: lab.redis):
        with pytest.raises(NotStarted, match=r"lab\.start\(\)"):
            use()


def test_worker_runs_the_learners_module_and_stops(lab: Lab) -> None:
    lab.start()
    worker = lab.worker(write("tasks_own"))
    assert lab.client.send_task("tasks_own.pid").get(timeout=10) in worker.processes
    pids = worker.tree
    worker.stop()
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_worker_started_again_takes_the_changed_module(lab: Lab) -> None:
    lab.start()
    first = lab.worker(write("tasks_changed"))
    write("tasks_changed", MODULE.replace("os.getpid()", "'changed'"))
    lab.worker("tasks_changed")
    assert not first.alive
    assert lab.client.send_task("tasks_changed.pid").get(timeout=10) == "changed"


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_other_pools_run_tasks_in_the_worker_itself(lab: Lab, pool: str) -> None:
    lab.start()
    with lab.worker(write("tasks_pool"), pool=pool) as worker:
        assert lab.client.send_task("tasks_pool.pid").get(timeout=10) == worker.pid


def test_worker_consumes_the_queues_it_is_given(lab: Lab) -> None:
    lab.start()
    with lab.worker(write("tasks_queue"), queues=["high"]) as worker:
        lab.client.send_task("tasks_queue.pid")
        assert lab.client.send_task("tasks_queue.pid", queue="high").get(timeout=10) in worker.processes
    assert repr(lab.queues()).splitlines()[2:] == ["celery        1                        0"]


def test_missing_module_is_named(lab: Lab) -> None:
    lab.start()
    with pytest.raises(NoSuchModule, match=r"no module 'tasks_none'.*tasks_none\.py"):
        lab.worker("tasks_none")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os\nos.nothing()\n", ["line 2, in <module>", "AttributeError", "nothing"]),
        ("def f(:\n    pass\n", ['File "tasks_bad.py", line 1', "SyntaxError"]),
        ("import absent_module\n", ["line 1, in <module>", "No module named 'absent_module'"]),
    ],
)
def test_broken_module_shows_its_own_traceback(lab: Lab, source: str, expected: list[str]) -> None:
    lab.start()
    write("tasks_bad", source)
    with pytest.raises(ProcessFailed, match="tasks_bad could not be imported") as refused:
        lab.worker("tasks_bad")
    text = str(refused.value)
    assert all(part in text for part in expected)
    assert "site-packages" not in text


def test_module_without_app_is_told_what_it_lacks(lab: Lab) -> None:
    lab.start()
    write("tasks_empty", "x = 1\n")
    with pytest.raises(ProcessFailed, match=r"no Celery app.*app = Celery\('tasks_empty'"):
        lab.worker("tasks_empty")


def test_worker_whose_broker_is_down_says_so_at_once(lab: Lab) -> None:
    lab.start()
    write("tasks_down", "from celery import Celery\napp = Celery('t', broker='redis://127.0.0.1:1/0')\n")
    with pytest.raises(ProcessFailed, match=r"cannot reach its broker(.|\n)*127\.0\.0\.1:1"):
        lab.worker("tasks_down")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"pool": "fibers"}, "no pool 'fibers'"), ({"concurrency": 0}, "concurrency=0 makes no worker")],
)
def test_worker_refuses_what_makes_none(lab: Lab, options: dict[str, object], message: str) -> None:
    lab.start()
    with pytest.raises(LabError, match=message):
        lab.worker(write("tasks_refused"), **options)


def test_log_shows_lines_of_the_worker_without_their_times(lab: Lab) -> None:
    lab.start()
    with lab.worker(write("tasks_log")) as worker:
        lab.client.send_task("tasks_log.pid", task_id="one").get(timeout=10)
        assert worker.log("received").lines == ["[INFO MainProcess] Task tasks_log.pid[one] received"]


def test_lab_attaches_to_the_broker_and_worker_of_the_environment(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.start()
    capsys.readouterr()
    attached = Lab()
    attached.start()
    shown = capsys.readouterr().out
    assert "attached" in shown
    assert "bundled@lab" in shown
    assert lab.url.partition("@")[0] not in shown
    assert attached.url == lab.url
    attached.stop()
    assert lab.bundled.alive


def test_attaching_where_no_broker_answers_names_the_address(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERYLAB_BROKER_URL", "redis://:secret@127.0.0.1:1/0")
    with pytest.raises(BrokerDown, match=r"No broker answers at redis://:\*\*@127\.0\.0\.1:1/0"):
        lab.start()


def test_attaching_where_no_worker_listens_says_how_to_start_one(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Broker("lonely") as broker:
        monkeypatch.setenv("CELERYLAB_BROKER_URL", broker.url)
        with pytest.raises(LabError, match=r"celery -A labtasks\.app:app worker"):
            lab.start()


def test_extra_broker_is_stopped_and_started_while_the_lab_goes_on(lab: Lab) -> None:
    lab.start()
    extra = lab.broker()
    assert extra.url != lab.url
    extra.stop()
    assert (extra.alive, lab.bundled.alive, bool(lab.redis.ping())) == (False, True, True)
    extra.start()
    assert extra.alive


def test_worker_on_an_extra_broker_answers_there(lab: Lab) -> None:
    lab.start()
    extra = lab.broker()
    with lab.worker(write("tasks_extra"), broker=extra) as worker:
        assert worker.alive


def test_mail_of_a_task_arrives_over_smtp(lab: Lab) -> None:
    lab.start()
    mailbox = lab.mailbox()
    code = "from labtasks import users; print(users.register('aiko', 'aiko@example.com'))"
    user_id = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    lab.client.send_task("labtasks.mail.send_welcome_email", (user_id,), queue="labtasks").get(timeout=20)
    (mail,) = mailbox.wait(1)
    assert (mail["To"], mail["Subject"]) == ("aiko@example.com", "Welcome")
    assert "Hello aiko" in mail.get_content()
    assert len(lab.mailbox()) == 0


def test_mailbox_waits_in_vain_with_a_count(lab: Lab) -> None:
    lab.start()
    with pytest.raises(Timeout, match=r"Waited 0\.1 s for 2 mails; there were 0"):
        lab.mailbox().wait(2, timeout=0.1)


def test_webhook_keeps_requests_and_answers_as_told(lab: Lab) -> None:
    hook = lab.webhook(status=202, answer={"id": 7})
    request = urllib.request.Request(f"{hook.url}/alerts?x=1", data=b'{"n": 1}', method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert (answer.status, json.load(answer)) == (202, {"id": 7})
    (received,) = hook.wait(1)
    assert (received.method, received.path, received.body) == ("PUT", "/alerts?x=1", {"n": 1})


WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi"]
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})
"""


FACTORY = """
import os

def create_app():
    said = os.environ["SITE_SAYS"].encode()

    def app(environ, start_response):
        start_response("200 OK", [])
        return [said]

    return app
"""


@pytest.mark.parametrize(("source", "body"), [(WSGI, b"wsgi"), (ASGI, b"asgi")])
def test_served_app_answers_when_serve_returns(lab: Lab, source: str, body: bytes) -> None:
    lab.start()
    Path("site_x.py").write_text(source)
    with lab.serve("site_x:app") as site, urllib.request.urlopen(site.url) as answer:
        assert answer.read() == body


def test_an_application_factory_is_called_in_the_environment_given(lab: Lab) -> None:
    lab.start()
    Path("site_factory.py").write_text(FACTORY)
    with (
        lab.serve("site_factory:create_app()", env={"SITE_SAYS": "made"}) as site,
        urllib.request.urlopen(site.url) as answer,
    ):
        assert answer.read() == b"made"


def test_serving_a_broken_module_shows_its_own_traceback(lab: Lab) -> None:
    lab.start()
    Path("site_bad.py").write_text("app = undefined_name\n")
    with pytest.raises(
        ProcessFailed, match=r"site_bad could not be imported(.|\n)*undefined_name"
    ) as refused:
        lab.serve("site_bad:app")
    assert "site-packages" not in str(refused.value)


def test_serving_on_a_taken_port_is_refused(lab: Lab) -> None:
    lab.start()
    Path("site_late.py").write_text(WSGI)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match=f"Port {other.getsockname()[1]}"):
            lab.serve("site_late:app", port=other.getsockname()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no 127.0.0.2")
def test_servers_listen_on_the_host_of_the_settings_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_SERVE_HOST", "127.0.0.2")
    lab.start()
    Path("site_host.py").write_text(WSGI)
    for server in (lab.serve("site_host:app"), lab.webhook()):
        assert server.url.startswith("http://127.0.0.2:")
        with urllib.request.urlopen(server.url) as answer:
            assert answer.status == 200
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_servers_listen_on_a_name_of_this_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_SERVE_HOST", "localhost")
    lab.start()
    Path("site_name.py").write_text(ASGI)
    for server in (lab.serve("site_name:app"), lab.webhook()):
        assert server.url.startswith("http://localhost:")
        with urllib.request.urlopen(server.url) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("host", ["198.51.100.7", "no.such.invalid", "ü" * 70, "::1"])
def test_host_on_which_nothing_can_listen_is_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("CELERYLAB_SERVE_HOST", host)
    lab.start()
    Path("site_nowhere.py").write_text(WSGI)
    for start in (lambda: lab.serve("site_nowhere:app", port=1), lab.webhook):
        with pytest.raises(LabError, match=f"Nothing can listen on '{host}': .*CELERYLAB_SERVE_HOST"):
            start()


def test_importing_a_task_needs_no_lab_but_sending_it_says_so() -> None:
    code = """
        from labtasks.basics import add
        try:
            add.delay(1, 2)
        except Exception as error:
            print(error)
    """
    environment = {name: value for name, value in os.environ.items() if name != "CELERYLAB_BROKER_URL"}
    shown = subprocess.check_output([sys.executable, "-c", textwrap.dedent(code)], text=True, env=environment)
    assert "CELERYLAB_BROKER_URL is not set" in shown
    assert "lab.start()" in shown


def test_webhook_says_nothing_of_a_sender_that_is_gone(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    hook = lab.webhook(delay=0.3)
    listening = set(threading.enumerate())
    with socket.create_connection((hook.host, int(hook.url.rpartition(":")[2]))) as sender:
        # closed with a reset, as if its process was killed
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sender.sendall(b"POST / HTTP/1.1\r\n\r\n")
        assert hook.wait(1)
    assert within(10, lambda: set(threading.enumerate()) <= listening)
    assert capsys.readouterr().err == ""


def test_webhook_fails_as_often_as_told_and_then_answers(lab: Lab) -> None:
    import httpx

    hook = lab.webhook(failures=2)
    assert [httpx.post(hook.url, json={}).status_code for _ in range(3)] == [503, 503, 200]
    assert len(hook) == 3
