"""The exercises of the lessons: each one's check, hints, solution and known wrong answers.

A lesson asks for one by its id::

    from exercises import exercise
    ex = exercise("1-2a")

An exercise module imports the rest from here to write its check.
"""

from exercises.attempt import call, learners_code, unfinished
from exercises.handle import Exercise, exercise
from exercises.outcome import Outcome, not_attempted, not_right, right

__all__ = [
    "Exercise",
    "Outcome",
    "call",
    "exercise",
    "learners_code",
    "not_attempted",
    "not_right",
    "right",
    "unfinished",
]
