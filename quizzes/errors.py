"""What the quizzes raise. Every message says where, what is wrong and what was expected."""

from collections.abc import Iterable
from pathlib import Path

from celerylab.errors import LabError
from quizzes import texts


class QuizError(LabError):
    """Base of everything the quizzes raise on purpose."""


class NoSuchQuiz(QuizError):
    """There is no quiz for the lesson that was asked for.

    Parameters
    ----------
    lesson
        What was asked for.
    known
        The lessons that have a quiz.
    """

    def __init__(self, lesson: object, known: Iterable[str]) -> None:
        self.lesson = lesson
        self.known = tuple(known)
        listed = ", ".join(self.known) or texts.NO_QUIZZES
        super().__init__(texts.NO_SUCH_QUIZ.format(lesson=lesson, known=listed))


class BadQuiz(QuizError):
    """A file of the bank is refused.

    Parameters
    ----------
    path
        The file.
    line
        The line to look at, counted from 1.
    problem
        What is wrong there.
    expected
        What belongs there.
    """

    def __init__(self, path: Path, line: int, problem: str, expected: str) -> None:
        self.path = path
        self.line = line
        self.problem = problem
        self.expected = expected
        super().__init__(texts.BAD_QUIZ.format(name=path.name, line=line, problem=problem, expected=expected))


class CannotRun(QuizError):
    """The code of a predict question could not be run to its end."""


class NotAnswered(QuizError):
    """An answer was checked before it was complete. The message is shown to the learner."""
