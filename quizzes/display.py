"""The quiz that a lesson shows."""

import sys
from pathlib import Path
from typing import Any

from quizzes import library, static
from quizzes.model import QuizText

_VIEW = "application/vnd.jupyter.widget-view+json"


class Quiz:
    """A quiz, displayed as a widget where there is a kernel, and as text everywhere.

    Parameters
    ----------
    text
        What its file says.
    seed
        What choices and steps are shuffled with.
    """

    def __init__(self, text: QuizText, seed: int = 0) -> None:
        self.text = text
        self.seed = seed
        self._widget: Any = None

    def widget(self) -> Any:
        """Make the widget, once.

        Returns
        -------
        ipywidgets.VBox
            The same one at each call, so that all its views agree.
        """
        if self._widget is None:
            # Late: ipywidgets costs time and memory in each kernel that imports a quiz.
            from quizzes.widget import build

            self._widget = build(self.text, self.seed)
        return self._widget

    def __str__(self) -> str:
        return static.plain(self.text, self.seed)

    def __repr__(self) -> str:
        return f"quiz({self.text.lesson!r}, seed={self.seed})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "text/plain": static.plain(self.text, self.seed),
            "text/html": static.page(self.text, self.seed),
        }
        return bundle | self._view()

    def _view(self) -> dict[str, Any]:
        if not _in_kernel():
            return {}
        try:
            widget = self.widget()
        except ImportError:
            return {}
        # Only the view: the widget's own text/plain is its repr, which changes at each run.
        return {_VIEW: widget._repr_mimebundle_()[_VIEW]}


def quiz(lesson: str, seed: int = 0, *, bank: Path = library.BANK) -> Quiz:
    """Ask the quiz of a lesson.

    Parameters
    ----------
    lesson
        The lesson's number, such as ``"1-2"``.
    seed
        Another seed shows choices and steps in another order.
    bank
        The folder to look in.

    Returns
    -------
    Quiz
        For Jupyter to display, as the last line of a cell.

    Raises
    ------
    NoSuchQuiz
        If the lesson has none; the message lists those that exist.
    BadQuiz
        If its file is refused.
    """
    return Quiz(library.find(lesson, bank), seed)


def _in_kernel() -> bool:
    # Where IPython was never imported there is no kernel to ask for.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
