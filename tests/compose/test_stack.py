"""The stack as people use it: its client, its scale, its database, its refusals."""

import json
import socket

import httpx
import pytest

from tests.compose.stack import Stack, until

pytestmark = pytest.mark.timeout(900)

SECRETS = ("REDIS_PASSWORD", "FLOWER_PASSWORD", "JUPYTER_TOKEN", "POSTGRES_PASSWORD", "API_KEY")


def test_sample_client_sends_each_kind_of_task_and_shows_its_progress(stack: Stack) -> None:
    said = stack.run("run", "--rm", "-T", "app").stdout
    assert [line.partition(" → ")[0] for line in said.splitlines() if " → " in line] == [
        "add(2, 3)",
        "long_task(3)",
        "process_data(1 … 10)",
    ]
    assert "100%" in said


def test_only_three_services_are_reached_from_outside_and_ask_who_it_is(stack: Stack) -> None:
    listed = [json.loads(line) for line in stack.run("ps", "--format", "json").stdout.splitlines()]
    published = {
        (each["Service"], port["URL"], port["PublishedPort"])
        for each in listed
        for port in each["Publishers"] or []
        if port["PublishedPort"]
    }
    ports = {name: int(stack.env[f"{name.upper()}_PORT"]) for name in ("flower", "jupyter", "api")}
    assert published == {(name, "127.0.0.1", port) for name, port in ports.items()}
    flower, jupyter, api = (f"http://127.0.0.1:{port}" for port in ports.values())
    password, token, key = (
        stack.run("run", "--rm", "-T", "settings", "show", name).stdout.strip()
        for name in ("FLOWER_PASSWORD", "JUPYTER_TOKEN", "API_KEY")
    )
    assert httpx.get(f"{flower}/api/workers").status_code == 401
    assert httpx.get(f"{flower}/api/workers", auth=("lab", "wrong")).status_code == 401
    assert httpx.get(f"{flower}/api/workers", auth=("lab", password)).status_code == 200
    assert httpx.get(f"{jupyter}/api/contents").status_code == 403
    assert httpx.get(f"{jupyter}/api/contents", params={"token": token}).status_code == 200
    assert httpx.post(f"{api}/tasks/add", json={"x": 1, "y": 2}).status_code == 401
    with httpx.Client(base_url=api, headers={"X-API-Key": key}) as client:
        sent = client.post("/tasks/add", json={"x": 1, "y": 2})
        assert sent.status_code == 202
        ended = until(lambda: (task := client.get(sent.headers["Location"]).json())["ended"] and task, "3")
    assert ended["result"] == 3


def test_redis_refuses_who_has_no_password(stack: Stack) -> None:
    assert "NOAUTH" in stack.run("exec", "-T", "redis", "redis-cli", "ping", check=False).stdout


def test_services_run_without_rights_that_they_need_not(stack: Stack) -> None:
    for service in ("worker", "jupyter", "redis"):
        status = stack.run("exec", "-T", service, "cat", "/proc/1/status").stdout
        found = dict(line.split(":\t", 1) for line in status.splitlines())
        assert int(found["CapEff"], 16) == 0, service
        assert found["NoNewPrivs"].strip() == "1"
        assert found["Uid"].split()[0] != "0"
        written = stack.run("exec", "-T", service, "sh", "-c", "touch /usr/x", check=False)
        assert "Read-only file system" in written.stderr


@pytest.mark.parametrize("service", ["worker", "beat", "flower", "api", "mail", "jupyter"])
def test_service_that_hangs_is_unhealthy_and_says_so(stack: Stack, service: str) -> None:
    health = ("exec", "-T", service, "python", "-m", "celerylab.container", "health", service)
    stack.run("exec", "-T", service, "sh", "-c", "kill -STOP -1")  # all but the container's first
    hanging = stack.run(*health, check=False)
    stack.run("exec", "-T", service, "sh", "-c", "kill -CONT -1")
    assert hanging.returncode == 1
    assert hanging.stderr.startswith("Celery Lab: ")
    until(lambda: stack.run(*health, check=False).returncode == 0, "a healthy service again")


def test_three_workers_share_the_queue(stack: Stack) -> None:
    stack.run("up", "--wait", "--scale", "worker=3", "worker")
    program = stack.python("""
results = [basics.long_task.delay(0.2) for _ in range(60)]
[result.get(timeout=60) for result in results]
stats = basics.app.control.inspect(timeout=3).stats()
print(json.dumps([found["total"].get("labtasks.basics.long_task", 0) for found in stats.values()]))
""")
    ran = program.end()
    assert len(ran) == 3
    assert min(ran) > 0
    stack.run("up", "--wait", "--scale", "worker=1", "worker")


def test_second_beat_is_refused(stack: Stack) -> None:
    refused = stack.run("up", "-d", "--scale", "beat=2", "beat", check=False)
    assert refused.returncode != 0
    assert "requires each container to have a unique name" in refused.stderr


def test_profile_postgres_keeps_results_and_records_there(stack: Stack) -> None:
    stack.run("--profile", "postgres", "up", "--wait", "--force-recreate")
    stack.python("""
from labtasks import users
users.register("Aiko", "aiko@example.com")
assert basics.add.delay(1, 2).get(timeout=60) == 3
print("true")
""").end()
    query = "select (select status from celery_taskmeta limit 1), (select username from users)"
    rows = stack.run("exec", "-T", "postgres", "psql", "-U", "lab", "-d", "lab", "-At", "-c", query).stdout
    assert rows.split() == ["SUCCESS|Aiko"]
    stack.run("--profile", "postgres", "stop", "-t", "1", "postgres")
    until(lambda: stack.health("redis") == "healthy", "a healthy Redis")


def test_learners_notebook_stays_when_the_image_brings_another(stack: Stack) -> None:
    change = "from pathlib import Path; Path('/app/notebooks/start_here.ipynb').write_text('mine')"
    stack.run("exec", "-T", "jupyter", "python", "-c", change)
    stack.run("restart", "jupyter")
    until(lambda: stack.health("jupyter") == "healthy", "a healthy JupyterLab")
    assert stack.run("exec", "-T", "jupyter", "cat", "/app/notebooks/start_here.ipynb").stdout.endswith(
        "mine"
    )


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["", "short", "with space in it", "at@signs@are@addresses"])
def test_password_that_cannot_be_one_is_refused_by_name(idle: Stack, name: str, value: str) -> None:
    refused = idle.run("run", "--rm", "-T", "-e", f"{name}={value}", "settings", check=False)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(
        f"Celery Lab: {name} is empty, too short, or holds what"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "COMPOSE_PROFILES",
            "postgrse",
            "COMPOSE_PROFILES names 'postgrse'. The profiles of this course are: ",
        ),
        ("WORKER_CONCURRENCY", "two", "WORKER_CONCURRENCY is 'two'. It takes a whole number from 1 on."),
        ("WORKER_CONCURRENCY", "0", "WORKER_CONCURRENCY is '0'. It takes a whole number from 1 on."),
        ("WORKER_QUEUES", "labtasks,hgih", "WORKER_QUEUES names 'hgih'. The queues of this course are: "),
    ],
)
def test_setting_that_cannot_be_is_refused(idle: Stack, name: str, value: str, message: str) -> None:
    refused = idle.run("run", "--rm", "-T", "-e", f"{name}={value}", "settings", check=False)
    assert refused.returncode == 1
    assert message in refused.stderr


def test_up_stops_at_a_refused_setting(idle: Stack) -> None:
    env, idle.env = idle.env, {**idle.env, "WORKER_QUEUES": "hgih"}
    refused = idle.run("up", "-d", "redis", check=False)
    idle.env = env
    assert refused.returncode == 1
    assert 'service "settings" didn\'t complete successfully' in refused.stderr


def test_taken_port_is_refused_with_its_number(stack: Stack) -> None:
    stack.run("rm", "-sf", "flower")
    with socket.create_server(("127.0.0.1", int(stack.env["FLOWER_PORT"]))):
        refused = stack.run("up", "-d", "--no-deps", "flower", check=False)
    assert refused.returncode != 0
    assert f"127.0.0.1:{stack.env['FLOWER_PORT']}" in refused.stderr
    assert "already in use" in refused.stderr
