"""The quiz as an ipywidgets widget. Importing it imports ipywidgets."""

from quizzes.model import QuizText
from quizzes.widget import parts
from quizzes.widget.board import Board

__all__ = ["Board", "build"]


def build(text: QuizText, seed: int) -> parts.Widget:
    """Make the widget of a quiz, ready to display.

    Parameters
    ----------
    text
        The quiz.
    seed
        What choices and steps are shuffled with.
    """
    return Board(text, seed).box
