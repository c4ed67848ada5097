"""What becomes of tasks when a container dies."""

import itertools
import re
import time
from datetime import datetime

import pytest

from tests.compose.stack import Stack, until

pytestmark = pytest.mark.timeout(900)

# Sends so many tasks, tells when the worker holds all that it may, and in the end how many results
# were right. Only a worker that holds less fetches messages, and kombu loses one if worker or broker
# is killed after it was fetched and before it was written down as unacknowledged.
SEND = """
from kombu.exceptions import OperationalError
FULL = 2 * basics.app.conf.worker_prefetch_multiplier
expected, results = {{}}, {{}}
both = [{n} // 5, {n} // 5 + 1]  # at a fifth of all, one for each process
for n in range({n}):
    seconds = 6 if n in both else 0.3
    results[n] = basics.add.delay(n, 1) if n % 10 > 1 else basics.long_task.delay(seconds)
    expected[n] = n + 1 if n % 10 > 1 else f"done after {{seconds}} s"
right, told, deadline = set(), False, time.monotonic() + 150
while len(right) < len(results) and time.monotonic() < deadline:
    try:
        for n in sorted(results.keys() - right):
            if results[n].successful() and results[n].result == expected[n]:
                right.add(n)
        if not told and [results[n].state for n in both] == ["PROGRESS", "PROGRESS"]:
            if told := broker.hlen("unacked") == FULL:
                print(json.dumps({{"right": len(right)}}), flush=True)
    except (redis.RedisError, OperationalError):
        pass  # while the broker is away
    time.sleep(0.05)
print(json.dumps({{"right": len(right), "missing": [results[n].id for n in sorted(results.keys() - right)]}}))
"""


def test_no_late_ack_task_is_lost_when_the_worker_is_killed(stack: Stack) -> None:
    program = stack.python(SEND.format(n=500))
    begun = program.next()
    stack.run("kill", "-s", "KILL", "worker")
    assert begun["right"] < 500
    stack.run("start", "worker")
    assert program.end() == {"right": 500, "missing": []}


def test_worker_comes_back_by_itself_when_its_process_is_killed(stack: Stack) -> None:
    before = stack.state("worker")["StartedAt"]
    stack.run("exec", "-T", "worker", "sh", "-c", "kill -9 -1", check=False)  # all but the container's first
    until(lambda: stack.state("worker")["StartedAt"] != before, "the worker's second start")
    until(lambda: stack.health("worker") == "healthy", "a healthy worker")


def test_nothing_acknowledged_is_lost_when_redis_is_killed(stack: Stack) -> None:
    program = stack.python(SEND.format(n=300))
    begun = program.next()
    stack.run("kill", "-s", "KILL", "redis")
    assert begun["right"] < 300
    stack.run("start", "redis")
    assert program.end() == {"right": 300, "missing": []}
    until(lambda: stack.health("worker") == "healthy", "a healthy worker")


def test_worker_without_redis_turns_unhealthy_and_says_why(stack: Stack) -> None:
    stack.run("stop", "redis")
    until(lambda: stack.health("worker") == "unhealthy", "an unhealthy worker")
    assert "Redis at redis:6379 cannot be reached" in stack.reasons("worker")
    stack.run("start", "redis")
    until(lambda: stack.health("worker") == "healthy", "a healthy worker")


def test_beat_killed_and_restarted_sends_nothing_twice(stack: Stack) -> None:
    def sent() -> list[float]:
        lines = stack.run("logs", "-t", "--no-log-prefix", "worker").stdout.splitlines()
        moments = [line.split()[0] for line in lines if "periodic_task" in line and "received" in line]
        return [
            datetime.fromisoformat(re.sub(r".*?(\d{4}-\S*\.\d{6})\d*Z", r"\1+00:00", each)).timestamp()
            for each in moments
        ]

    seen = len(sent())
    until(lambda: len(sent()) > seen, "a run of the periodic task")
    killed = time.time()
    stack.run("kill", "-s", "KILL", "beat")
    stack.run("start", "beat")
    until(lambda: len([at for at in sent() if at > killed]) >= 2, "two runs after the restart")
    runs = sent()[seen:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(runs)]
    assert min(gaps) > 11, gaps  # of 12 s


def test_stopping_the_stack_ends_tasks_softly_and_in_time(stack: Stack) -> None:
    program = stack.python("""
results = [basics.long_task.delay(seconds) for seconds in (3, 600)]
while [result.state for result in results] != ["PROGRESS", "PROGRESS"]:
    time.sleep(0.05)
print(json.dumps([result.id for result in results]))
""")
    short, long = program.end()
    began = time.monotonic()
    stack.run("stop")
    took = time.monotonic() - began
    stack.run("start", "redis")
    until(lambda: stack.health("redis") == "healthy", "a healthy Redis")
    short_state, waiting = stack.python(f"""
states = [basics.app.AsyncResult(id).state for id in ("{short}",)]
waiting = [json.loads(raw)["headers"]["id"] for raw in broker.lrange("labtasks", 0, -1)]
print(json.dumps([states[0], waiting]))
""").end()
    assert short_state == "SUCCESS"
    assert long in waiting
    assert took < 15
