"""What the tests of tasks share."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from celerylab import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start()
    yield made
    made.stop()


def postgresql_program(name: str) -> str | None:
    # Debian keeps those of the server out of the PATH
    return shutil.which(name) or next(
        (str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None
    )


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server, if there is one on this machine."""
    initdb, postgres = postgresql_program("initdb"), postgresql_program("postgres")
    if not (initdb and postgres):
        pytest.skip("no PostgreSQL server on this machine")
    root = os.geteuid() == 0
    if root and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres")
    user = {"user": "postgres", "group": "postgres"} if root else {}
    folder = Path(tempfile.mkdtemp(prefix="lab-pg-", dir="/tmp"))  # a socket's path must be short
    if root:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-U", "lab", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
        **user,
    )
    command = [postgres, "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **user
    )
    try:
        wait_answering(server, f"host={folder} user=lab dbname=postgres")
        yield f"postgresql+psycopg://lab@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # at SIGTERM it would wait for its clients
        server.wait(timeout=30)
        shutil.rmtree(folder)


def wait_answering(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < deadline, "PostgreSQL was not ready in time"
            time.sleep(0.05)
