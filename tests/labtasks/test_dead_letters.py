"""Dead letters and where they lie: arguments that come back, limits, filters, alerts, the disk."""

import os
import re
import subprocess
import sys
import uuid
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celerylab import Lab
from celerylab.stack.waiting import wait_for
from labtasks.dead_letters import (
    KINDS,
    DeadLetter,
    DeadLetters,
    Filter,
    NoSuchLetter,
    NotReplayable,
    StoreError,
    moment,
)
from labtasks.dead_letters.keeper import Keeper
from labtasks.dead_letters.letter import pack
from labtasks.dead_letters.spool import Spool
from tests.labtasks.letters import NOW, ROOT, letter

TYPES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]))
)
JSON = st.recursive(TYPES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
ANYTHING = st.recursive(
    TYPES | st.complex_numbers() | st.builds(object) | st.sets(st.integers()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other) or (one != one and other != other)  # NaN equals nothing


@given(args=st.lists(JSON), kwargs=st.dictionaries(st.text(), JSON))
def test_arguments_that_json_takes_come_back_equal(args: list[Any], kwargs: dict[str, Any]) -> None:
    kept = DeadLetter.load(letter("x", args=args, kwargs=kwargs).dump())
    assert kept.problem is None
    back = kept.read_arguments()
    assert equal(back, (args, kwargs))


@given(args=st.lists(ANYTHING), kwargs=st.dictionaries(st.text(), ANYTHING))
def test_arguments_of_any_type_come_back_equal_or_not_at_all(args: list[Any], kwargs: dict[str, Any]) -> None:
    kept = DeadLetter.load(letter("x", args=args, kwargs=kwargs).dump())
    if kept.problem is None:
        assert equal(kept.read_arguments(), (args, kwargs))
    else:
        with pytest.raises(NotReplayable, match=re.escape(kept.problem)):
            kept.read_arguments()


def test_arguments_that_nobody_can_show_do_not_raise() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment]

    endless: list[Any] = []
    endless.append(endless)
    for args in ([Rude()], [endless]):
        packed = pack(args, {"x": Rude()})
        assert packed["problem"]
        assert "arguments" not in packed


# -- disk and log -------------------------------------------------------------------------


def test_many_processes_write_to_the_disk_and_empty_it(tmp_path: Path) -> None:
    code = """if True:
        import sys
        from pathlib import Path
        from labtasks.dead_letters.letter import DeadLetter
        from labtasks.dead_letters.spool import Spool
        spool, me = Spool(Path(sys.argv[1])), sys.argv[2]
        for n in range(20):
            spool.write(DeadLetter(id=f"{n}", task="t", kind="exception", failed_at=0.0))
            spool.write(DeadLetter(id=f"{me}-{n}", task="t", kind="exception", failed_at=0.0))
            if n % 5 == 0:
                spool.empty(lambda letter: print(letter.id))
    """
    together = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path, me], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for me in "abc"
    ]
    taken = "".join(process.communicate(timeout=60)[0] for process in together).split()
    assert [process.returncode for process in together] == [0, 0, 0]
    (tmp_path / "broken.letter").write_text('{"id": "half')
    Spool(tmp_path).empty(lambda found: taken.append(found.id))
    assert set(taken) == {*map(str, range(20)), *(f"{me}-{n}" for me in "abc" for n in range(20))}
    assert [file.name for file in tmp_path.iterdir()] == ["broken.unreadable"]


def test_a_letter_that_can_be_kept_nowhere_is_logged_and_never_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    keeper = Keeper(DeadLetters("redis://127.0.0.1:1/0"), None, tmp_path / "file")
    keeper.keep(lambda: letter("nowhere"), KINDS)
    assert '"id": "nowhere"' in caplog.text
    keeper.keep(lambda: 1 / 0, KINDS)  # type: ignore[arg-type, return-value]
    assert "ZeroDivisionError" in caplog.text


# -- limits ------------------------------------------------------------------------------


@pytest.fixture
def store(lab: Lab) -> DeadLetters:
    return DeadLetters(lab.url, uuid.uuid4().hex)


def test_with_one_too_many_the_oldest_goes_and_is_counted(lab: Lab, store: DeadLetters) -> None:
    small = DeadLetters(lab.url, store.name, keep=3)
    for n in (1, 5, 3, 2, 4):
        small.add(letter(f"{n}", failed_at=NOW + n), alert=True)
    assert [one.id for one in small.find()] == ["5", "4", "3"]
    assert small.gone() == {"size": 2, "age": 0}
    assert small.alerts_waiting() == 3
    assert [key for key in lab.redis.keys(f"*{store.name}*letter*") if key.endswith((b"1", b"2"))] == []


def test_what_is_too_old_goes_and_is_counted_though_nothing_new_comes(lab: Lab, store: DeadLetters) -> None:
    for days in (0, 1, 3, 5):
        store.add(letter(f"{days}", failed_at=NOW - days * 86_400))
    younger = DeadLetters(lab.url, store.name, days=2)
    assert younger.count() == 4, "looking removes nothing"
    younger.trim()
    assert younger.count() == 2
    assert [one.id for one in younger.find()] == ["0", "1"]
    assert younger.gone() == {"size": 0, "age": 2}


@pytest.mark.parametrize("limit", [{"keep": 0}, {"days": 0}])
def test_limits_that_keep_nothing_are_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="keep is 1 or more and days above 0"):
        DeadLetters("redis://127.0.0.1:1/0", **limit)


# -- look --------------------------------------------------------------------------------


def test_letters_are_found_by_what_they_are(store: DeadLetters) -> None:
    store.add(letter("a", task="shop.charge", exception="shop.Refused", failed_at=NOW - 7200, args=("Aiko",)))
    store.add(letter("b", task="shop.mail", kind="expired", failed_at=NOW - 60, message="No answer"))
    store.add(letter("c", task="other.mail", exception="ValueError", failed_at=NOW))

    def found(**wanted: Any) -> str:
        assert store.count(Filter(**wanted)) == len(store.find(Filter(**wanted)))
        return "".join(one.id for one in store.find(Filter(**wanted)))

    assert found() == "cba"
    assert [found(task=name) for name in ("mail", "shop.mail", "shop.*", "ma")] == ["cb", "b", "ba", ""]
    assert [found(exception=name) for name in ("Refused", "shop.Refused", "*Error")] == ["a", "a", "c"]
    assert found(kind="expired") == "b"
    assert [found(text=text) for text in ("aiko", "no answer", "B")] == ["a", "b", "b"]
    assert [found(since=moment("1h")), found(until=moment("1h"))] == ["cb", "a"]
    assert [found(state="open"), found(state="replayed"), found(task="mail", kind="expired")] == [
        "cba",
        "",
        "b",
    ]
    assert [one.id for one in store.find(limit=1, skip=1)] == ["b"]


@pytest.mark.parametrize("text", ["yesterday", "2x", "", "h", "2026-13-01"])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time\. Give 30m, 2h or 7d ago"):
        moment(text)


def test_dropped_letter_is_gone(store: DeadLetters) -> None:
    store.add(letter("a"), alert=True)
    store.drop("a")
    assert (store.count(), store.alerts_waiting(), store.gone()["size"]) == (0, 0, 0)
    for ask in (store.drop, store.get, lambda letter_id: store.claim(letter_id, "new")):
        with pytest.raises(NoSuchLetter, match="there is no dead letter 'a'"):
            ask("a")


def test_store_that_is_away_says_so() -> None:
    with pytest.raises(StoreError, match="the store of dead letters does not answer"):
        DeadLetters("redis://127.0.0.1:1/0").count()
    with pytest.raises(StoreError):
        DeadLetters("amqp://127.0.0.1/").count()


# -- alerts ------------------------------------------------------------------------------


def test_one_alert_however_many_processes_tell_of_it(lab: Lab, store: DeadLetters) -> None:
    hook = lab.webhook()
    code = """if True:
        import sys, time
        from pathlib import Path
        from labtasks.alerts import send_alert
        from labtasks.dead_letters.courier import Courier
        from labtasks.dead_letters.letter import DeadLetter
        from labtasks.dead_letters.spool import Spool
        from labtasks.dead_letters.store import DeadLetters
        courier = Courier(DeadLetters(sys.argv[1], sys.argv[2]), Spool(Path("nowhere")), send_alert)
        for n in range(10):
            courier.store(DeadLetter(id=f"{n}", task="t", kind="exception", failed_at=time.time()))
            courier.look()
    """
    command = [sys.executable, "-c", code, store.url, store.name]
    env = os.environ | {"CELERYLAB_ALERT_URL": hook.url}
    together = [subprocess.Popen(command, env=env, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in together] == [0, 0, 0]
    assert sorted(one.body["id"] for one in hook) == [f"{n}" for n in range(10)]
    assert store.alerts_waiting() == 0


def test_alert_of_a_process_that_died_while_sending_it_is_sent_by_another(store: DeadLetters) -> None:
    store.add(letter("a"), alert=True)
    taken = store.take_alert(lease=0.05)
    assert taken is not None
    assert taken.letter.id == "a"
    again = wait_for(1, "alert", lambda: [each for each in [store.take_alert(60)] if each], 10)
    assert (again[0].letter.id, again[0].tries) == ("a", 2)
    assert store.take_alert(60) is None
