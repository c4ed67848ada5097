"""What the engine refuses. Every message names the exercise and what was expected."""

from celerylab.errors import LabError


class ExerciseError(LabError):
    """Base of what the engine raises on purpose."""


class UnknownExercise(ExerciseError):
    """There is no exercise of that id."""


class BadExercise(ExerciseError):
    """An exercise module, or its part of the notebook, is not as it must be."""


class LearnerRaised(Exception):
    """Carries what the learner's code raised out of a check.

    Attributes
    ----------
    error
        The learner's own exception.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error
