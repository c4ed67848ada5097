"""Whether an answer is right, and what there is to say about it."""

from dataclasses import dataclass

from quizzes import texts
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Note:
    """One explanation, and the choice that it is about, if it is about one."""

    why: str
    choice: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one try."""

    right: bool
    notes: tuple[Note, ...] = ()
    hint: str = ""


def mark_choices(question: ChoiceQuestion, chosen: tuple[int, ...]) -> Verdict:
    """Mark chosen choices, given as places in the file.

    A wrong answer is told why it is wrong, and never which other one is right.
    """
    notes = tuple(Note(question.choices[place].why, place) for place in chosen)
    right = {place for place, choice in enumerate(question.choices) if choice.right}
    if right == set(chosen):
        return Verdict(right=True, notes=notes)
    if not right - set(chosen) or question.kind != "several":
        return Verdict(right=False, notes=notes)
    hint = texts.SEVERAL_INCOMPLETE if set(chosen) <= right else texts.SEVERAL_MIXED
    return Verdict(right=False, notes=notes, hint=hint)


def mark_order(question: OrderQuestion, answer: tuple[int, ...]) -> Verdict:
    """Mark steps, given as places in the file in the learner's order."""
    if answer == tuple(range(len(question.steps))):
        return Verdict(right=True, notes=(Note(question.why),))
    met = [
        mistake for mistake in question.mistakes
        if answer.index(mistake.puts) < answer.index(mistake.before)
    ]  # fmt: skip
    placed = sum(place == step for place, step in enumerate(answer))
    hint = texts.ORDER_WRONG.format(placed=placed, total=len(answer))
    return Verdict(right=False, notes=tuple(Note(mistake.why) for mistake in met), hint=hint)


def mark_number(question: NumberQuestion, answer: float) -> Verdict:
    """Mark a number."""
    if within(answer, question.answer, question.tolerance):
        return Verdict(right=True, notes=(Note(question.why),))
    met = [
        Note(mistake.why) for mistake in question.mistakes
        if within(answer, mistake.answer, question.tolerance)
    ]  # fmt: skip
    if met:
        return Verdict(right=False, notes=tuple(met))
    hint = texts.NUMBER_TOO_LOW if answer < question.answer else texts.NUMBER_TOO_HIGH
    return Verdict(right=False, hint=hint.format(answer=f"{answer:g}"))


def within(number: float, wanted: float, tolerance: float) -> bool:
    """Compare two numbers, forgiving what binary fractions add: 0.4 is 0.1 from 0.3."""
    return abs(number - wanted) <= tolerance + _ROUNDING


def right_choices(question: Question) -> tuple[int, ...]:
    """List the places of the choices that are right."""
    choices = question.choices if isinstance(question, ChoiceQuestion) else ()
    return tuple(place for place, choice in enumerate(choices) if choice.right)
