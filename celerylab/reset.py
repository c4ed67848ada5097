"""Begin a lesson again: its progress forgotten, its files as published, nothing lost."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from celerylab import texts
from celerylab.course import Lesson
from celerylab.errors import LabError
from celerylab.progress import forget
from celerylab.settings import settings


class CannotReset(LabError):
    """The learner's files cannot be copied to a backup, so nothing was touched."""


@dataclass(frozen=True)
class Done:
    """What a reset did.

    Attributes
    ----------
    forgotten
        How many exercises and questions were forgotten.
    backup
        The folder that holds the learner's own version, or None if there was nothing to keep.
    kept
        The names of the files in it.
    restored
        Whether the notebook was given back; False if it was as published already.
    problem
        Why git could not say how the notebook was published, or an empty text.
    """

    forgotten: int
    backup: Path | None
    kept: tuple[str, ...]
    restored: bool
    problem: str


class NotPublished(Exception):
    """Git cannot say how a file was published; the message is git's own."""


def reset(lesson: Lesson) -> Done:
    """Give a lesson back as it was published, after its learner's version is safe.

    Parameters
    ----------
    lesson
        From `celerylab.course.lesson`.

    Raises
    ------
    CannotReset
        The learner's files cannot be copied to a backup. Nothing was changed then.
    """
    published, problem = b"", ""
    try:
        published = _published(lesson.notebook)
    except NotPublished as error:
        problem = str(error)
    restored = not problem and published != lesson.notebook.read_bytes()
    own = _own_files(lesson)
    backup = None
    if own or restored:
        backup = _keep(lesson, [*own, *([lesson.notebook] if restored else [])])
    for path in own:
        _remove(path)
    if restored:
        lesson.notebook.write_bytes(published)
    kept = sorted(path.name for path in backup.iterdir()) if backup else []
    return Done(forget(lesson.id), backup, tuple(kept), restored, problem)


def _keep(lesson: Lesson, files: Sequence[Path]) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backup = settings().home / "backups" / moment
    try:
        backup.mkdir(parents=True)
        for path in files:
            if path.is_dir():
                shutil.copytree(path, backup / path.name)
            else:
                shutil.copy2(path, backup / path.name)
    except OSError as problem:
        raise CannotReset(
            texts.CANNOT_KEEP.format(id=lesson.id, problem=problem, folder=backup.parent)
        ) from problem
    return backup


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _own_files(lesson: Lesson) -> list[Path]:
    """List what the learner wrote beside the notebook: not in git, and named after the lesson."""
    folder = lesson.notebook.parent
    try:
        published = set(_git(folder, "ls-files", "-z", "--", ".").decode().split("\0"))
    except NotPublished:
        published = set()
    named = re.compile(rf"_{lesson.stem}(?!\d)")
    return [
        path for path in sorted(folder.iterdir()) if named.search(path.name) and path.name not in published
    ]


def _published(path: Path) -> bytes:
    root = path.parents[2]
    in_image = root / "published" / path.relative_to(root)  # a container has no clone
    if in_image.exists():
        return in_image.read_bytes()
    return _git(path.parent, "show", f"HEAD:./{path.name}")


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=30
        ).stdout
    except FileNotFoundError as error:
        raise NotPublished(texts.NO_GIT) from error
    except subprocess.TimeoutExpired as error:
        raise NotPublished(texts.GIT_SLOW) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise NotPublished(said[0] if said else str(error)) from error
