"""What a learner has tried and got right, and how long it took: one SQLite file, outside the clone."""

import functools
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from celerylab import texts
from celerylab.errors import LabError
from celerylab.settings import settings

Kind = Literal["exercise", "quiz"]
T = TypeVar("T")

# A longer pause than this between two signs of a learner is a break, and does not count.
BREAK_SECONDS = 600
# Several kernels write at once. No WAL: home directories on a network share refuse it.
BUSY_SECONDS = 10.0
ITEM = re.compile(r"(\d+-\d+)[a-z]?")
TRIED = """
CREATE TABLE tried (
    kind TEXT NOT NULL,
    item TEXT NOT NULL,
    part TEXT NOT NULL,
    lesson TEXT NOT NULL,
    tries INTEGER NOT NULL,
    right_at TEXT,
    tried_at TEXT NOT NULL,
    PRIMARY KEY (kind, item, part)
)
"""
# Added in version 2: the time that a learner spends on each lesson.
SPENT = """
CREATE TABLE spent (
    lesson TEXT PRIMARY KEY,
    begun_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    seconds INTEGER NOT NULL
)
"""
# What makes a file of each version one of the next: a new file goes through all of them.
STEPS = (TRIED, SPENT)
SCHEMA_VERSION = len(STEPS)
# A right answer stays right: `right_at` keeps the first time, whatever follows.
COUNT = """
INSERT INTO tried VALUES (:kind, :item, :part, :lesson, 1, :right_at, :now)
ON CONFLICT (kind, item, part) DO UPDATE SET
    tries = tries + 1,
    tried_at = excluded.tried_at,
    right_at = coalesce(right_at, excluded.right_at)
"""
SIGN = """
INSERT INTO spent VALUES (:lesson, :now, :now, 0)
ON CONFLICT (lesson) DO UPDATE SET
    seconds = seconds + CASE
        WHEN strftime('%s', :now) - strftime('%s', last_at) BETWEEN 0 AND :pause
        THEN strftime('%s', :now) - strftime('%s', last_at)
        ELSE 0
    END,
    last_at = :now
"""


class ProgressError(LabError):
    """The progress file cannot be used."""


class NewerProgress(ProgressError):
    """The progress file was written by a newer Celery Lab than this one."""


@dataclass(frozen=True)
class Tried:
    """What became of one exercise or one quiz question."""

    tries: int
    right: bool


@dataclass(frozen=True)
class Standing:
    """A learner's progress in one lesson.

    Attributes
    ----------
    lesson
        The lesson's id, "1-2".
    exercises
        What was tried, by exercise id ("1-2a"). An exercise never tried is absent.
    questions
        The same for the lesson's quiz, by question id.
    seconds
        The time spent on it, breaks not counted.
    begun_at, last_at
        When it was begun, and when the learner was last seen in it: ISO 8601, or empty.
    """

    lesson: str
    exercises: Mapping[str, Tried] = field(default_factory=dict)
    questions: Mapping[str, Tried] = field(default_factory=dict)
    seconds: int = 0
    begun_at: str = ""
    last_at: str = ""


def record(kind: Kind, item: str, right: bool, part: str = "") -> None:
    """Count one try. A right answer stays right, whatever is tried after it.

    A file that cannot be written never breaks a lesson: it is said once, on stderr.

    Parameters
    ----------
    kind
        "exercise" or "quiz".
    item
        The exercise ("1-2a"), or the quiz's lesson ("1-2").
    right
        Whether the answer was right.
    part
        A quiz's question id.
    """
    now = _now()
    row = {
        "kind": kind,
        "item": item,
        "part": part,
        "lesson": lesson_of(item),
        "now": now,
        "right_at": now if right else None,
    }

    def work(db: sqlite3.Connection) -> None:
        db.execute(COUNT, row)
        _sign(db, lesson_of(item), now)

    try:
        _with_file(work)
    except (OSError, sqlite3.Error, ProgressError) as problem:
        _say_once(texts.NOT_RECORDED.format(path=progress_file(), problem=problem))


def sign(lesson: str) -> None:
    """Note that the learner is at work on a lesson now: it is begun, and time is counted.

    Nothing is said if that can't be written; a try says it.
    """
    with suppress(OSError, sqlite3.Error, ProgressError):
        _with_file(lambda db: _sign(db, lesson, _now()))


def standing(lesson: str) -> Standing:
    """Read the progress in one lesson ("1-2")."""
    return standings().get(lesson, Standing(lesson))


def standings() -> dict[str, Standing]:
    """Read the progress in every lesson that was begun, by lesson id.

    Raises
    ------
    ProgressError
        The file cannot be read, or a newer Celery Lab wrote it.
    """
    if not progress_file().exists():
        return {}
    rows, spent = _read_or_refuse(
        lambda db: (
            db.execute("SELECT kind, item, part, lesson, tries, right_at FROM tried").fetchall(),
            {
                lesson: rest
                for lesson, *rest in db.execute("SELECT lesson, seconds, begun_at, last_at FROM spent")
            },
        )
    )
    exercises: dict[str, dict[str, Tried]] = {}
    questions: dict[str, dict[str, Tried]] = {}
    for kind, item, part, lesson, tries, right_at in rows:
        tried = Tried(tries, right_at is not None)
        if kind == "exercise":
            exercises.setdefault(lesson, {})[item] = tried
        else:
            questions.setdefault(lesson, {})[part] = tried
    return {
        lesson: Standing(
            lesson, exercises.get(lesson, {}), questions.get(lesson, {}), *spent.get(lesson, (0, "", ""))
        )
        for lesson in sorted(exercises.keys() | questions.keys() | spent.keys())
    }


def forget(lesson: str) -> int:
    """Forget progress and time in one lesson; return how many exercises and questions that was."""
    if not progress_file().exists():
        return 0

    def work(db: sqlite3.Connection) -> int:
        db.execute("DELETE FROM spent WHERE lesson = ?", [lesson])
        return db.execute("DELETE FROM tried WHERE lesson = ?", [lesson]).rowcount

    return _read_or_refuse(work)


def progress_file() -> Path:
    """Where the progress is kept."""
    return settings().home / "progress.sqlite3"


def lesson_of(item: str) -> str:
    """Return the lesson that an exercise or a quiz belongs to: "1-2a" → "1-2"."""
    match = ITEM.fullmatch(item)
    if not match:
        raise ValueError(texts.BAD_ITEM.format(item=item))
    return match[1]


def _read_or_refuse(work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        return _with_file(work)
    except (OSError, sqlite3.Error) as problem:
        raise ProgressError(
            texts.PROGRESS_UNREADABLE.format(path=progress_file(), problem=problem)
        ) from problem


def _with_file(work: Callable[[sqlite3.Connection], T]) -> T:
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    before = _identity(path)
    try:
        return _in_transaction(path, work)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        ):
            raise
        # Another kernel may have found the damage first, and begun a new file since.
        if _identity(path) == before:
            _move_aside(path)
        return _in_transaction(path, work)


def _in_transaction(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
        # Taking the write lock at once: a read that becomes a write can fail without waiting.
        db.execute("BEGIN IMMEDIATE")
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise NewerProgress(texts.NEWER_PROGRESS.format(path=path, found=version, known=SCHEMA_VERSION))
        for step in STEPS[version:]:
            db.execute(step)
        if version < SCHEMA_VERSION:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        outcome = work(db)
        db.execute("COMMIT")
        return outcome


def _sign(db: sqlite3.Connection, lesson: str, now: str) -> None:
    db.execute(SIGN, {"lesson": lesson, "now": now, "pause": BREAK_SECONDS})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _move_aside(path: Path) -> None:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"progress.damaged-{moment}.sqlite3")
    path.replace(kept)
    # A journal left beside would be applied to the new file.
    path.with_name(path.name + "-journal").unlink(missing_ok=True)
    print(texts.PROGRESS_DAMAGED.format(path=path, kept=kept), file=sys.stderr)


@functools.cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr)
