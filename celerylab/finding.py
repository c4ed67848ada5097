"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import StrEnum

from celerylab import texts


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do about it.

    Attributes
    ----------
    level
        Ok, a note, or wrong.
    text
        What was found.
    mend
        What to do, or an empty text.
    """

    level: Level
    text: str
    mend: str = ""

    def __str__(self) -> str:
        line = texts.FINDING.format(level=texts.LEVELS[self.level], text=self.text)
        return "\n".join([line, texts.MEND.format(mend=self.mend)]) if self.mend else line


def ok(text: str) -> Finding:
    """Say that a thing is as it must be."""
    return Finding(Level.OK, text)


def note(text: str, mend: str) -> Finding:
    """Say that a thing is unusual, and may be meant so."""
    return Finding(Level.NOTE, text, mend)


def wrong(text: str, mend: str) -> Finding:
    """Say that a thing will break lessons."""
    return Finding(Level.WRONG, text, mend)
