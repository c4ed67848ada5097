"""Progress: kept by several processes at once, never lost, never in a lesson's way."""

import multiprocessing
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from celerylab import progress
from celerylab.progress import (
    NewerProgress,
    ProgressError,
    Standing,
    Tried,
    forget,
    record,
    sign,
    standing,
    standings,
)

WRITERS = 4
EACH = 25


@pytest.fixture(autouse=True)
def _say_again() -> Iterator[None]:
    yield
    progress._say_once.cache_clear()


def write_many(number: int) -> None:
    for _ in range(EACH):
        record("quiz", "1-2", right=False, part=f"q{number}")
        record("exercise", "1-2a", right=number == 1)


def test_record_counts_tries_and_keeps_right() -> None:
    for right in (False, True, False):
        record("exercise", "1-2a", right=right)
    record("exercise", "1-2b", right=False)
    record("quiz", "1-2", right=True, part="q1")
    found = standing("1-2")
    assert found.exercises == {"1-2a": Tried(3, right=True), "1-2b": Tried(1, right=False)}
    assert found.questions == {"q1": Tried(1, right=True)}


def test_record_keeps_the_first_right_time_in_utc(home: Path) -> None:
    record("exercise", "1-2a", right=True)
    with closing(sqlite3.connect(home / "progress.sqlite3")) as db:
        db.execute("UPDATE tried SET right_at = 'first'")
        db.commit()
        record("exercise", "1-2a", right=True)
        right_at, tried_at = db.execute("SELECT right_at, tried_at FROM tried").fetchone()
    assert right_at == "first"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", tried_at)


@pytest.mark.parametrize("item", ["1-2ab", "12", "", "1-2a; DROP TABLE tried"])
def test_record_refuses_what_is_no_id(item: str) -> None:
    with pytest.raises(ValueError, match="not for"):
        record("exercise", item, right=True)


def test_record_from_several_processes_loses_nothing() -> None:
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        pool.map(write_many, range(WRITERS))
    found = standing("1-2")
    assert found.exercises == {"1-2a": Tried(WRITERS * EACH, right=True)}
    assert {each.tries for each in found.questions.values()} == {EACH}


def test_record_without_writable_home_warns_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CELERYLAB_HOME", str(tmp_path / "file/below"))
    record("exercise", "1-2a", right=True)
    record("exercise", "1-2b", right=True)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("Celery Lab: your progress is not recorded")


def test_standing_without_file_makes_none(home: Path) -> None:
    assert standing("1-2") == Standing("1-2")
    assert not home.exists()


def test_standings_come_by_lesson() -> None:
    record("exercise", "2-1a", right=False)
    record("quiz", "1-2", right=True, part="q1")
    assert list(standings()) == ["1-2", "2-1"]


def test_damaged_file_is_kept_and_a_new_one_begun(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"not a database at all, " * 100)
    record("exercise", "1-2a", right=True)
    assert standing("1-2").exercises == {"1-2a": Tried(1, right=True)}
    kept = list(home.glob("progress.damaged-*.sqlite3"))
    assert [path.read_bytes()[:14] for path in kept] == [b"not a database"]
    assert str(kept[0]) in capsys.readouterr().err


def test_damaged_file_is_kept_when_read(home: Path) -> None:
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"not a database at all, " * 100)
    assert standing("1-2") == Standing("1-2")
    assert len(list(home.glob("progress.damaged-*.sqlite3"))) == 1


def test_newer_file_is_refused_and_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record("exercise", "1-2a", right=True)
    with closing(sqlite3.connect(home / "progress.sqlite3")) as db:
        db.execute("PRAGMA user_version = 99")
    before = (home / "progress.sqlite3").read_bytes()
    with pytest.raises(NewerProgress, match=r"its schema is 99, this one knows 2.*git pull"):
        standing("1-2")
    record("exercise", "1-2a", right=True)
    assert "git pull" in capsys.readouterr().err
    assert (home / "progress.sqlite3").read_bytes() == before


def test_unreadable_file_is_refused(home: Path) -> None:
    (home / "progress.sqlite3").mkdir(parents=True)
    with pytest.raises(ProgressError, match="cannot be read"):
        standing("1-2")


def test_forget_touches_one_lesson_only() -> None:
    for item in ("1-2a", "1-2b", "1-20a"):
        record("exercise", item, right=True)
    record("quiz", "1-2", right=True, part="q1")
    assert forget("1-2") == 3
    assert list(standings()) == ["1-20"]


def test_forget_without_file_forgets_nothing(home: Path) -> None:
    assert forget("1-2") == 0
    assert not home.exists()


VERSION_1 = """
CREATE TABLE tried (
    kind TEXT NOT NULL,
    item TEXT NOT NULL,
    part TEXT NOT NULL,
    lesson TEXT NOT NULL,
    tries INTEGER NOT NULL,
    right_at TEXT,
    tried_at TEXT NOT NULL,
    PRIMARY KEY (kind, item, part)
);
INSERT INTO tried VALUES ('exercise', '1-2a', '', '1-2', 3, '2026-01-05T10:00:00+00:00', '2026-01-06');
INSERT INTO tried VALUES ('quiz', '1-2', 'q1', '1-2', 1, NULL, '2026-01-06T10:00:00+00:00');
PRAGMA user_version = 1;
"""


def test_file_of_version_1_keeps_what_it_holds_and_counts_time_from_now_on(home: Path) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "progress.sqlite3")) as db:
        db.executescript(VERSION_1)
    before = standing("1-2")
    assert before.exercises == {"1-2a": Tried(3, right=True)}
    assert before.questions == {"q1": Tried(1, right=False)}
    assert (before.seconds, before.begun_at) == (0, "")
    record("exercise", "1-2a", right=False)
    after = standing("1-2")
    assert after.exercises == {"1-2a": Tried(4, right=True)}
    assert after.begun_at
    with closing(sqlite3.connect(home / "progress.sqlite3")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(progress, "_now", lambda: f"2026-03-01T{moment}+00:00")


def test_time_is_what_passes_between_signs_and_tries_without_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "10:00:00")
    sign("1-2")
    assert standing("1-2") == Standing("1-2", seconds=0, begun_at=progress._now(), last_at=progress._now())
    at(monkeypatch, "10:04:30")
    sign("1-2")
    at(monkeypatch, "10:14:30")
    record("exercise", "1-2a", right=False)
    assert standing("1-2").seconds == 870
    at(monkeypatch, "10:24:31")  # a second more than is counted: a break
    record("quiz", "1-2", right=False, part="q1")
    at(monkeypatch, "10:25:00")
    sign("1-2")
    found = standing("1-2")
    assert (found.seconds, found.begun_at[11:19], found.last_at[11:19]) == (899, "10:00:00", "10:25:00")


def test_time_of_a_clock_that_was_put_back_is_not_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    for moment in ("10:00:00", "09:00:00", "09:00:10"):
        at(monkeypatch, moment)
        sign("1-2")
    assert standing("1-2").seconds == 10


def test_sign_says_nothing_where_it_cannot_be_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.write_text("")
    sign("1-2")
    assert capsys.readouterr() == ("", "")


def test_sign_is_quick() -> None:
    sign("1-2")
    took = []
    for _ in range(20):
        began = time.perf_counter()
        sign("1-2")
        took.append(time.perf_counter() - began)
    # what other processes of the machine take from it is not its own
    assert min(took) < 0.01


def test_forget_forgets_the_time_too() -> None:
    sign("1-2")
    assert forget("1-2") == 0
    assert standing("1-2") == Standing("1-2")
