"""A quiz as it is after reading: plain data, in the order of its file."""

from dataclasses import dataclass
from typing import Literal

ChoiceKind = Literal["one", "several", "predict"]


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to choose, and why it is right or wrong."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """One choice, several choices, or the output of a piece of code."""

    id: str
    kind: ChoiceKind
    ask: str
    choices: tuple[Choice, ...]
    code: str = ""
    needs_lab: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """A plausible mistake: one step put before another. Steps count from 0."""

    puts: int
    before: int
    why: str


@dataclass(frozen=True, slots=True)
class OrderQuestion:
    """Steps to put in order; ``steps`` has them in the right one."""

    id: str
    ask: str
    steps: tuple[str, ...]
    why: str
    mistakes: tuple[Swap, ...]
    kind: Literal["order"] = "order"


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """A plausible mistake: a number that people give."""

    answer: float
    why: str


@dataclass(frozen=True, slots=True)
class NumberQuestion:
    """A number with its unit, right within a tolerance."""

    id: str
    ask: str
    answer: float
    unit: str
    tolerance: float
    why: str
    mistakes: tuple[WrongNumber, ...]
    kind: Literal["number"] = "number"


Question = ChoiceQuestion | OrderQuestion | NumberQuestion


@dataclass(frozen=True, slots=True)
class QuizText:
    """Everything a file of the bank says."""

    lesson: str
    title: str
    questions: tuple[Question, ...]
    file: str
    """The file's place in the bank, such as ``phase1/1_2.yaml``."""
