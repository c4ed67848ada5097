"""``celerylab dead-letters``, as it is typed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from click.testing import Result
from typer.testing import CliRunner

from celerylab.cli import app
from celerylab.stack.broker import Broker
from labtasks.dead_letters import DeadLetters
from tests.labtasks.letters import NOW, letter

ID = "charge-7"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker("letters") as made:
        yield made


@pytest.fixture
def store(broker: Broker) -> DeadLetters:
    """Four letters, the newest first: c, b, a, and one that can't be replayed."""
    made = DeadLetters(broker.url)
    broker.redis().flushall()
    raised = {"exception": "shop.Refused", "message": "card refused", "traceback": "File shop.py, line 3"}
    known = {"task": "shop.charge", "routing_key": "orders", **raised}
    made.add(letter(ID, args=(date(2026, 2, 28), Decimal("9.5")), failed_at=NOW - 7200, **known))
    made.add(letter("b", args=("Aiko",), failed_at=NOW - 60, **known))
    made.add(letter("c", task="shop.mail", kind="expired", message="late", failed_at=NOW))
    made.add(letter("set", task="shop.sort", args=({1},), failed_at=NOW - 9000))
    return made


def environment(url: str | None) -> dict[str, str | None]:
    return {"CELERYLAB_BROKER_URL": url, "CELERYLAB_DEAD_LETTERS_URL": None}


def celerylab(*arguments: str, url: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command as a process of its own."""
    env = {**os.environ, **environment(url)}
    return subprocess.run(
        [sys.executable, "-m", "celerylab.cli", "dead-letters", *arguments],
        env={name: value for name, value in env.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
    )


def invoke(*arguments: str, url: str | None = None, typed: str = "") -> Result:
    """Run it in this process, which has loaded what it needs."""
    return CliRunner().invoke(app, ["dead-letters", *arguments], input=typed, env=environment(url))


def said(store: DeadLetters, *arguments: str, typed: str = "") -> str:
    shown = invoke(*arguments, url=store.url, typed=typed)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return shown.stdout


def refused(*arguments: str, url: str | None = None, typed: str = "") -> str:
    shown = invoke(*arguments, url=url, typed=typed)
    assert shown.exit_code == 1
    assert isinstance(shown.exception, SystemExit), "nothing else may come out"
    return shown.stderr or shown.stdout


def test_list_shows_the_newest_first_by_page_and_filter(store: DeadLetters) -> None:
    lines = said(store, "list").splitlines()
    assert [line.split()[-1] for line in lines[2:-1]] == ["c", "b", ID, "set"]
    assert "shop.charge  exception  Refused: card refused  open" in lines[3]
    assert lines[-1] == "1 to 4 of 4."
    page = said(store, "list", "--limit", "2", "--page", "2").splitlines()
    assert [line.split()[-1] for line in page[2:-1]] == [ID, "set"]
    assert said(store, "list", "--limit", "2").endswith("1 to 2 of 4. The next: --page 2\n")
    assert said(store, "list", "--page", "3") == "There is no page 3: 4 dead letters fit on 1.\n"
    filtered = said(store, "list", "--task", "charge", "--exception", "Refused", "--since", "1h")
    assert filtered.splitlines()[2:][0].split()[-1] == "b"
    assert filtered.endswith("1 to 1 of 1.\n")


def test_list_and_show_as_json_hold_the_arguments(store: DeadLetters) -> None:
    (found,) = json.loads(said(store, "list", "--until", "1h", "--text", "CARD", "--json"))
    assert found == json.loads(said(store, "show", ID, "--json"))
    assert found["arguments"][0][0] == {"__type__": "date", "__value__": "2026-02-28"}
    assert (found["id"], found["queue"], found["state"]) == (ID, "orders", "open")


def test_show_says_all_that_is_known(store: DeadLetters) -> None:
    shown = said(store, "show", ID)
    assert "arguments  datetime.date(2026, 2, 28), Decimal('9.5')\n" in shown
    assert "what       shop.Refused: card refused\n" in shown
    assert shown.endswith("\nFile shop.py, line 3\n")


def test_where_there_is_nothing_it_says_so(store: DeadLetters) -> None:
    assert said(store, "list", "--kind", "rejected") == (
        "No dead letter fits the filters. Without them there are 4.\n"
    )
    assert said(store, "replay", "--all", "--task", "none") == said(store, "list", "--kind", "rejected")
    store.drop_all()
    for command in (["list"], ["replay", "--all"], ["drop", "--all"]):
        assert said(store, *command) == "There are no dead letters.\n"


def test_what_went_is_shown(store: DeadLetters) -> None:
    DeadLetters(store.url, keep=2).trim()
    assert said(store, "list").endswith("Gone: 2 because there were too many, 0 because they were too old.\n")


def test_replay_of_one_sends_it_once(store: DeadLetters, broker: Broker) -> None:
    shown = celerylab("replay", ID, url=store.url)
    assert (shown.returncode, shown.stderr) == (0, "")
    new_id = shown.stdout.removeprefix(f"Replayed {ID} as ").rstrip(".\n")
    (message,) = broker.redis().lrange("orders", 0, -1)
    assert json.loads(message)["headers"]["id"] == new_id
    again = celerylab("replay", ID, url=store.url)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"celerylab: {ID} was replayed already, as {new_id}\n"
    assert broker.redis().llen("orders") == 1


def test_replay_of_all_asks_says_what_became_of_each_and_ends_with_1_if_one_was_refused(
    store: DeadLetters, broker: Broker
) -> None:
    assert "Replay 4 dead letters?" in refused("replay", "--all", url=store.url, typed="n\n")
    assert broker.redis().llen("orders") == 0
    done = invoke("replay", "--all", "--yes", url=store.url)
    assert done.exit_code == 1
    assert done.stderr.startswith("Not replayed: set: JSON can't take its arguments: ")
    assert done.stdout.splitlines()[-1] == "Replayed: 3. Not replayed: 1."
    assert broker.redis().llen("orders") == 2
    assert said(store, "replay", "--all", "--task", "charge") == (
        "No dead letter fits the filters. Without them there are 4.\n"
    )


def test_replay_that_was_left_can_be_forced(store: DeadLetters) -> None:
    store.claim("b", "lost")
    assert "a replay of b as lost was begun at" in refused("replay", "b", url=store.url)
    assert said(store, "replay", "b", "--force").startswith("Replayed b as ")


def test_drop_of_one_and_of_all(store: DeadLetters) -> None:
    assert said(store, "drop", "b") == "Dropped: 1.\n"
    refused("drop", "--all", url=store.url, typed="n\n")
    assert store.count() == 3
    assert said(store, "drop", "--all", "--kind", "expired", typed="y\n").endswith("Dropped: 1.\n")
    assert [one.id for one in store.find()] == [ID, "set"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["show", "nobody"], "there is no dead letter 'nobody' in labtasks.dead_letters"),
        (["replay", "nobody"], "there is no dead letter 'nobody' in labtasks.dead_letters"),
        (["drop", "nobody"], "there is no dead letter 'nobody' in labtasks.dead_letters"),
        (["replay", "set"], "JSON can't take its arguments: "),
        (["replay"], "Say which: an id, or --all with filters if you like."),
        (["drop", "b", "--all"], "Give an id, or --all with filters; not both."),
        (["drop", "--task", "shop.mail"], "Filters go with --all."),
        (["replay", "--all", "--force"], "--force goes with one id."),
        (["list", "--kind", "sad"], "There is no kind 'sad'. These exist: exception, soft time limit, "),
        (["list", "--state", "sad"], "There is no state 'sad'. These exist: open, claimed, replayed."),
        (["list", "--since", "monday"], "'monday' is no time. Give 30m, 2h or 7d ago"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_changes_nothing(
    store: DeadLetters, arguments: list[str], problem: str
) -> None:
    (line,) = refused(*arguments, url=store.url).splitlines()
    assert line.startswith(f"celerylab: {problem}")
    assert {one.state for one in store.find()} == {"open"}
    assert store.count() == 4


def test_store_of_another_name_and_address(store: DeadLetters) -> None:
    DeadLetters(store.url, "mine").add(letter("other"))
    shown = celerylab("list", "--url", store.url, "--name", "mine")
    assert shown.stdout.splitlines()[2].split()[-1] == "other"


def test_without_a_broker_it_says_what_to_set() -> None:
    assert refused("list").startswith("celerylab: There is no broker to ask. Give --url, or set CELERYLAB_")
    away = refused("list", url="redis://:secret@127.0.0.1:1/0")
    assert away.startswith("celerylab: the store of dead letters does not answer: ")
    assert "secret" not in away


def test_help_loads_neither_celery_nor_redis() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from celerylab.cli import app\n"
        "print(CliRunner().invoke(app, ['dead-letters', 'list', '--help']).output)\n"
        "print(sorted({'celery', 'redis', 'labtasks'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
    assert "--exception" in shown.stdout
