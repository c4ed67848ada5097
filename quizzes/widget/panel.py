"""One question of the widget: what it asks, the answer, the button and the feedback."""

from typing import Protocol

from quizzes import texts
from quizzes.errors import NotAnswered
from quizzes.model import Question
from quizzes.prose import inline
from quizzes.static import question_html
from quizzes.widget import parts
from quizzes.widget.controls import control_for
from quizzes.widget.feedback import feedback, status


class Marked(Protocol):
    """Hears of each try."""

    def __call__(self, question: str, *, right: bool) -> None:
        """Take the question's id and whether it was answered right."""


class Panel:
    """A question that can be answered again and again.

    Parameters
    ----------
    question
        The question.
    order
        The order in which to show its choices or steps.
    heading
        Which question of how many it is.
    number
        Its number, counted from 1.
    marked
        Called after each try.
    """

    def __init__(
        self,
        question: Question,
        order: tuple[int, ...],
        heading: str,
        number: int,
        marked: Marked,
    ) -> None:
        self.question = question
        self.order = order
        self.marked = marked
        self.tries = 0
        self.right: bool | None = None
        self.control = control_for(question, order)
        self.check_button = parts.button(texts.CHECK, texts.CHECK_HINT.format(number=number), self.check)
        self.feedback = parts.html(status(""))
        # A role instead of a heading element, which JupyterLab's table of contents might list.
        asked = f'<div role="heading" aria-level="4"><strong>{inline(heading)}</strong></div>'
        self.box = parts.column(
            [parts.html(asked + question_html(question)), self.control.box, self.check_button, self.feedback]
        )

    def check(self) -> None:
        """Mark the answer, say how it went, and tell the quiz."""
        try:
            verdict = self.control.mark()
        except NotAnswered as missing:
            self.feedback.value = status(f"<p>{inline(str(missing))}</p>")
            return
        self.tries += 1
        self.right = verdict.right
        self.feedback.value = feedback(self.question, self.order, verdict, self.tries)
        self.marked(self.question.id, right=verdict.right)

    def clear(self) -> None:
        """Forget the answer and how it went."""
        self.tries = 0
        self.right = None
        self.control.clear()
        self.feedback.value = status("")
