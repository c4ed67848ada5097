"""What a learner answers with: one class for each shape of answer."""

import re
from typing import Protocol

from quizzes import texts
from quizzes.errors import NotAnswered
from quizzes.marking import Verdict, mark_choices, mark_number, mark_order
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question
from quizzes.prose import bare, inline
from quizzes.shuffle import letter
from quizzes.widget import parts, style

# Not None: ipywidgets takes that for "nothing picked", and may show an empty line.
NOT_PLACED = -1
_NUMBER = re.compile(r"([-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+))\s*(.*)")


class Control(Protocol):
    """A way to give an answer."""

    box: parts.Widget

    def mark(self) -> Verdict:
        """Mark the answer as it stands, or raise NotAnswered."""

    def clear(self) -> None:
        """Take the answer back."""


class OneOf:
    """Radio buttons."""

    def __init__(self, question: ChoiceQuestion, order: tuple[int, ...]) -> None:
        self.question = question
        self.order = order
        labels = _labels(question, order)
        # Output stands as it is; elsewhere the marks of code would be all that is seen of it.
        self.radios = parts.radios(labels if question.kind == "predict" else [bare(text) for text in labels])
        self.box = parts.column([self.radios], *[style.OUTPUT] * (question.kind == "predict"))

    def mark(self) -> Verdict:
        """Mark the chosen radio button."""
        if self.radios.value is None:
            raise NotAnswered(texts.CHOOSE_ONE)
        return mark_choices(self.question, (self.order[self.radios.value],))

    def clear(self) -> None:
        """Choose none."""
        self.radios.value = None


class SomeOf:
    """Checkboxes."""

    def __init__(self, question: ChoiceQuestion, order: tuple[int, ...]) -> None:
        self.question = question
        self.order = order
        self.boxes = [parts.checkbox(inline(label)) for label in _labels(question, order)]
        self.box = parts.column(self.boxes)

    def mark(self) -> Verdict:
        """Mark the ticked boxes."""
        chosen = tuple(place for place, box in zip(self.order, self.boxes, strict=True) if box.value)
        if not chosen:
            raise NotAnswered(texts.CHOOSE_SOME)
        return mark_choices(self.question, chosen)

    def clear(self) -> None:
        """Tick none."""
        for box in self.boxes:
            box.value = False


class Places:
    """A list of places beside each step.

    A screen reader then says the step and its place; nothing has to be dragged, and no
    step moves while it is being read.
    """

    def __init__(self, question: OrderQuestion, order: tuple[int, ...]) -> None:
        self.question = question
        self.order = order
        places = [(str(place + 1), place) for place in range(len(order))]
        options = [(texts.PLACE_NONE, NOT_PLACED), *places]
        self.lists = [parts.select(inline(question.steps[step]), options) for step in order]
        self.box = parts.column(self.lists, style.PLACES)

    def mark(self) -> Verdict:
        """Mark the steps in the places that they were given."""
        placed: dict[int, int] = {}
        if any(shown.value == NOT_PLACED for shown in self.lists):
            raise NotAnswered(texts.PLACE_ALL)
        for step, shown in zip(self.order, self.lists, strict=True):
            if shown.value in placed:
                raise NotAnswered(texts.PLACE_TWICE.format(place=shown.value + 1))
            placed[shown.value] = step
        return mark_order(self.question, tuple(placed[place] for place in sorted(placed)))

    def clear(self) -> None:
        """Take every step from its place."""
        for shown in self.lists:
            shown.value = NOT_PLACED


class Typed:
    """A field for a number."""

    def __init__(self, question: NumberQuestion) -> None:
        self.question = question
        self.field = parts.field(texts.NUMBER_LABEL.format(unit=question.unit))
        self.box = parts.column([self.field])

    def mark(self) -> Verdict:
        """Mark the number; a decimal comma and the unit behind it are understood."""
        typed = self.field.value.strip()
        if not typed:
            raise NotAnswered(texts.NUMBER_MISSING)
        read = _NUMBER.fullmatch(typed)
        if read is None or read[2] not in ("", self.question.unit):
            raise NotAnswered(texts.NUMBER_UNREADABLE.format(typed=typed))
        return mark_number(self.question, float(read[1].replace(",", ".")))

    def clear(self) -> None:
        """Empty the field."""
        self.field.value = ""


def control_for(question: Question, order: tuple[int, ...]) -> Control:
    """Make what a question is answered with."""
    match question:
        case ChoiceQuestion(kind="several"):
            return SomeOf(question, order)
        case ChoiceQuestion():
            return OneOf(question, order)
        case OrderQuestion():
            return Places(question, order)
        case NumberQuestion():
            return Typed(question)


def _labels(question: ChoiceQuestion, order: tuple[int, ...]) -> list[str]:
    # Output of several lines starts on its own line, or its columns would not line up.
    several_lines = any("\n" in choice.text for choice in question.choices)
    gap = "\n" if several_lines else " "
    return [f"{letter(shown)}.{gap}{question.choices[place].text}" for shown, place in enumerate(order)]
