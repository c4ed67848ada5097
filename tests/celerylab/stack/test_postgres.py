"""A private PostgreSQL: what it keeps, whom it lets in, and that nothing of it is left behind."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from celerylab.stack.postgres import Postgres
from tests.processes import marked, within

SCRIPT = """
import sys
from celerylab.stack.postgres import Postgres

Postgres().start()
print("runs", flush=True)
sys.stdin.read()
"""
SHARED_MEMORY = Path("/proc/sysvipc/shm")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    made = Postgres("postgres-test")
    yield made.start()
    made.stop()


def segments(makers: set[int]) -> list[str]:
    """Return the keys of System V shared memory that some processes made; PostgreSQL makes one."""
    head, *lines = (line.split() for line in SHARED_MEMORY.read_text().splitlines())
    return [line[head.index("key")] for line in lines if int(line[head.index("cpid")]) in makers]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_was_committed_is_there_after_a_restart_at_the_same_address(server: Postgres, end: str) -> None:
    with psycopg.connect(server.conninfo) as connection:
        connection.execute(f"create table {end}ped (n int)")
        connection.execute(f"insert into {end}ped values (1)")
    getattr(server, end)()
    assert not server.alive
    server.start()
    with psycopg.connect(server.conninfo) as connection:
        assert connection.execute(f"select n from {end}ped").fetchall() == [(1,)]


def test_only_who_knows_the_password_comes_in_and_only_over_loopback(server: Postgres) -> None:
    wrong = server.conninfo.replace(server.url.split(":")[2].partition("@")[0], "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    listening = [
        each.laddr
        for each in psutil.net_connections()
        if each.status == "LISTEN" and each.laddr.port == server.port
    ]
    assert {each.ip for each in listening} == {"127.0.0.1"}


@pytest.mark.skipif(not SHARED_MEMORY.exists(), reason="this system does not list its shared memory")
def test_processes_files_and_shared_memory_go_with_an_owner_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    folder = Path(f"/tmp/{mark}")  # not below tmp_path: as root, the server runs as somebody else
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    owner = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"runs\n"
        # reaper, postmaster and its children
        theirs = {process.pid for process in marked(mark)}
        assert len(theirs) > 5
        assert len(segments(theirs)) == 1
        os.kill(owner.pid, signal.SIGKILL)
        assert within(5.0, lambda: not marked(mark) and not segments(theirs) and not list(folder.iterdir()))
    finally:
        owner.kill()
        owner.communicate()
        for process in marked(mark):
            process.kill()
        folder.rmdir()
