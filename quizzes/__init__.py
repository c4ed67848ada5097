"""The quizzes at the end of each lesson: ``quiz("1-2")``."""

from quizzes.display import Quiz, quiz
from quizzes.errors import BadQuiz, NoSuchQuiz, QuizError

__all__ = ["BadQuiz", "NoSuchQuiz", "Quiz", "QuizError", "quiz"]
