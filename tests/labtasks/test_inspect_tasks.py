"""``python -m labtasks.inspect_tasks``: lists, filters, shows, and says in one line what it can't."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labtasks.database import engine
from labtasks.inspect_tasks import app
from labtasks.records.jobs import start_job
from labtasks.records.storing import write_changes, write_lines, write_results
from labtasks.records.writer import transaction
from tests.labtasks.recording import database_at

HOUR = 3600.0


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = f"sqlite:///{tmp_path_factory.mktemp('inspect') / 'records.sqlite3'}"
    with database_at(url, CELERYLAB_BROKER_URL="redis://127.0.0.1:1/0"):
        now = time.time()
        start_job("import-7", "pictures", 2)

        def change(task_id: str, state: str, at: float, **more: Any) -> dict[str, Any]:
            return {"task_id": task_id, "state": state, "retries": 0, "at": at, **more}

        with transaction(engine()) as connection:
            write_changes(
                connection,
                [
                    change("old", "SUCCESS", now - 5 * HOUR, name="shop.tasks.add", worker="one@lab",
                           runtime=0.5),
                    change("bad", "FAILURE", now - HOUR, name="shop.tasks.add_all", worker="two@lab",
                           error="ValueError: [no] 100%", traceback="Traceback: here"),
                    change("new", "STARTED", now, name="shop.mail.send[red]", worker="one@lab",
                           job="import-7"),
                ],
            )  # fmt: skip
            write_results(
                connection,
                [{"task_id": "old", "state": "PENDING", "retries": 0, "changed_at": 0.0, "result": "[3]"}],
            )
            line = {"at": now, "level": "ERROR", "logger": "celery.task", "text": "it broke"}
            whose = {"task_id": "bad", "worker": "two@lab", "pid": 1, "fields": '{"n": 1}', "traceback": None}
            write_lines(connection, [line | whose])
        yield url


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.output + (
        str(done.exception) if isinstance(done.exception, SystemExit) else ""
    )


def ids(*filters: str) -> list[str]:
    status, output = run("list", "--json", *filters)
    assert status == 0, output
    return [one["task_id"] for one in json.loads(output)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), ["new", "bad", "old"]),
        (("--state", "FAILURE"), ["bad"]),
        (("--state", "failure", "--state", "SUCCESS"), ["bad", "old"]),
        (("--name", "add"), ["old"]),
        (("--name", "shop.tasks.*"), ["bad", "old"]),
        (("--name", "add%all"), []),
        (("--since", "2h"), ["new", "bad"]),
        (("--worker", "one@*"), ["new", "old"]),
        (("--job", "import-7"), ["new"]),
        (("--limit", "1"), ["new"]),
        (("--worker", "one@lab", "--since", "6h", "--state", "SUCCESS"), ["old"]),
    ],
)
def test_filters(database: str, filters: tuple[str, ...], expected: list[str]) -> None:
    assert ids(*filters) == expected


def test_table_cuts_nothing_off(database: str) -> None:
    status, output = run("list")
    assert status == 0
    rows = [line.split() for line in output.splitlines()]
    assert rows[0] == ["changed", "task", "state", "retries", "worker", "took", "id"]
    assert rows[1][2] == "shop.mail.send[red]"
    assert [row[-1] for row in rows[1:4]] == ["new", "bad", "old"]
    assert rows[3][2:] == ["shop.tasks.add", "SUCCESS", "0", "one@lab", "0.500", "s", "old"]
    assert output.splitlines()[-1] == "3 of 3"
    assert run("list", "--name", "nothing")[1].strip() == "There is none."


def test_show_has_the_result_and_what_was_logged(database: str) -> None:
    assert json.loads(run("show", "old", "--json")[1])["result"] == [3]
    text = run("show", "bad")[1]
    assert "error" in text
    assert "ValueError: [no] 100%" in text
    assert "Traceback: here" in text
    assert text.splitlines()[-1].endswith("ERROR   it broke")


def test_jobs(database: str) -> None:
    assert run("jobs")[1].splitlines()[1].split() == ["import-7", "pictures", "running", "0", "0", "2"]
    assert json.loads(run("jobs", "--status", "failed", "--json")[1]) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "there is no record of a task 'nobody'"),
        (("list", "--since", "yesterday"), "'yesterday' is no time"),
        (("list", "--state", "DONE"), "there is no state DONE"),
    ],
)
def test_what_cannot_be_done_is_said(database: str, arguments: tuple[str, ...], said: str) -> None:
    status, output = run(*arguments)
    assert status != 0
    assert said in output.replace("\n", " ").replace("│", " ")


def test_database_that_is_away_is_said_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labtasks.inspect_tasks", "list"],
        env={
            **os.environ,
            "CELERYLAB_BROKER_URL": "redis://127.0.0.1:1/0",
            "CELERYLAB_DATABASE_URL": "postgresql+psycopg://lab@127.0.0.1:1/postgres",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("labtasks.inspect_tasks: the database does not answer: connection failed")
    assert len(done.stderr.splitlines()) == 1
