"""The three outcomes of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exercises import texts


class Kind(StrEnum):
    """What a check can find."""

    RIGHT = "right"
    NOT_RIGHT = "not right"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True, repr=False)
class Outcome:
    """What a check found; displays as its message.

    Attributes
    ----------
    kind
        One of the three.
    key
        Which of the exercise's FEEDBACK messages it gets.
    facts
        What the message's placeholders stand for.
    message
        The finished message. `Exercise.check` writes it; a check leaves it empty.
    exercise
        The exercise's id, written by `Exercise.check` too.
    """

    kind: Kind
    key: str
    facts: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
    exercise: str = ""

    @property
    def label(self) -> str:
        """The outcome in two or three words, after the id if there was an answer."""
        if self.key == "lab":
            return texts.NOT_CHECKED
        label = texts.LABELS[self.kind]
        if not self.exercise or self.kind is Kind.NOT_ATTEMPTED:
            return label
        # In a lesson that was run to its end, `ex` is the last exercise, whatever cell one goes back to.
        return texts.LABEL_OF.format(id=self.exercise, label=label)

    def __repr__(self) -> str:
        return f"{self.label} {self.message}".rstrip()

    def _repr_markdown_(self) -> str:
        return f"**{self.label}** {self.message}".rstrip()


def right(key: str = "right", /, **facts: object) -> Outcome:
    """Say that the answer is right."""
    return Outcome(Kind.RIGHT, key, facts)


def not_right(key: str, /, **facts: object) -> Outcome:
    """Say that the answer is not right yet.

    Parameters
    ----------
    key
        The FEEDBACK message that says why, and what to look at.
    **facts
        What the lab saw, for the message's placeholders.
    """
    return Outcome(Kind.NOT_RIGHT, key, facts)


def not_attempted(key: str = "not_attempted", /, **facts: object) -> Outcome:
    """Say that there is no answer yet."""
    return Outcome(Kind.NOT_ATTEMPTED, key, facts)
