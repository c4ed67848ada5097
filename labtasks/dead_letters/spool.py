"""Dead letters on disk, while their store is away."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from celery.utils.log import get_logger

from labtasks.dead_letters.letter import DeadLetter

logger = get_logger(__name__)

SUFFIX = ".letter"


class Spool:
    """A folder of letters, one file each, that any number of processes write and empty.

    A file is on the disk for good, or not there: it is written under another name, flushed to
    the disk and renamed.

    Parameters
    ----------
    folder
        Made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, letter: DeadLetter) -> None:
        """Keep a letter, one of each task; ``OSError`` if the disk refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # an id is the sender's to choose: no path may come out of it
        target = self.folder / f"{hashlib.sha256(letter.id.encode()).hexdigest()}{SUFFIX}"
        draft = target.with_name(f".{uuid.uuid4().hex}")
        with draft.open("x", encoding="utf-8") as file:
            file.write(letter.dump())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        self._flush_folder()

    def waiting(self) -> list[Path]:
        """Return the files of letters that wait, in no order."""
        try:
            return [Path(each.path) for each in os.scandir(self.folder) if each.name.endswith(SUFFIX)]
        except FileNotFoundError:
            return []

    def empty(self, take: Callable[[DeadLetter], object]) -> int:
        """Hand each letter on, and remove its file; return how many.

        Two processes may do so at the same time: ``take`` gets a letter twice then.

        Parameters
        ----------
        take
            Raises if the letter can't go on yet; then its file stays, and so do all others.
        """
        taken = 0
        for file in self.waiting():
            try:
                letter = DeadLetter.load(file.read_text(encoding="utf-8"))
            except FileNotFoundError:  # another process was quicker
                continue
            except (ValueError, TypeError) as error:
                logger.error("%s holds no dead letter, and is set aside: %s", file, error)
                file.replace(file.with_suffix(".unreadable"))
                continue
            take(letter)
            file.unlink(missing_ok=True)
            taken += 1
        return taken

    def _flush_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
