"""What a learner has tried and got right: one SQLite file, outside the clone."""

import functools
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from celerylab import texts
from celerylab.errors import LabError
from celerylab.settings import settings

Kind = Literal["exercise", "quiz"]
T = TypeVar("T")

SCHEMA_VERSION = 1
# Several kernels write at once. No WAL: home directories on a network share refuse it.
BUSY_SECONDS = 10.0
ITEM = re.compile(r"(\d+-\d+)[a-z]?")
SCHEMA = """
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
# A right answer stays right: `right_at` keeps the first time, whatever follows.
COUNT = """
INSERT INTO tried VALUES (:kind, :item, :part, :lesson, 1, :right_at, :now)
ON CONFLICT (kind, item, part) DO UPDATE SET
    tries = tries + 1,
    tried_at = excluded.tried_at,
    right_at = coalesce(right_at, excluded.right_at)
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
    """

    lesson: str
    exercises: Mapping[str, Tried] = field(default_factory=dict)
    questions: Mapping[str, Tried] = field(default_factory=dict)


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
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = {
        "kind": kind,
        "item": item,
        "part": part,
        "lesson": lesson_of(item),
        "now": now,
        "right_at": now if right else None,
    }
    try:
        _with_file(lambda db: db.execute(COUNT, row))
    except (OSError, sqlite3.Error, ProgressError) as problem:
        _say_once(texts.NOT_RECORDED.format(path=progress_file(), problem=problem))


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
    rows = _read_or_refuse(
        lambda db: db.execute("SELECT kind, item, part, lesson, tries, right_at FROM tried").fetchall()
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
        lesson: Standing(lesson, exercises.get(lesson, {}), questions.get(lesson, {}))
        for lesson in sorted(exercises.keys() | questions.keys())
    }


def forget(lesson: str) -> int:
    """Forget the progress in one lesson; return how many exercises and questions that was."""
    if not progress_file().exists():
        return 0
    return _read_or_refuse(lambda db: db.execute("DELETE FROM tried WHERE lesson = ?", [lesson]).rowcount)


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
        if version == 0:
            db.execute(SCHEMA)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        outcome = work(db)
        db.execute("COMMIT")
        return outcome


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
