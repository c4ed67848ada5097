"""Orders that look random and never change."""

from collections.abc import Sequence
from hashlib import sha256

from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question


def shown_order(question: Question, lesson: str, seed: int) -> tuple[int, ...]:
    """Decide in which order a question shows its choices or steps.

    Parameters
    ----------
    question
        The question.
    lesson
        The lesson that it belongs to.
    seed
        Another seed gives another order.

    Returns
    -------
    tuple of int
        Places in the file, in the order to show; empty for a number.
    """
    key = f"{lesson}/{question.id}/{seed}"
    match question:
        case ChoiceQuestion(choices=choices):
            return _shuffled([choice.text for choice in choices], key)
        case OrderQuestion(steps=steps):
            order = _shuffled(steps, key)
            # The right order would give the answer away.
            return order if order != tuple(range(len(steps))) else (*order[1:], order[0])
        case NumberQuestion():
            return ()


def letter(place: int) -> str:
    """Name a shown choice: A, B, C and so on."""
    return chr(ord("A") + place)


def _shuffled(items: Sequence[str], key: str) -> tuple[int, ...]:
    # By digest, for random.shuffle() may change between versions of Python, and committed
    # notebooks hold this order.
    def digest(place: int) -> bytes:
        return sha256(f"{key}/{items[place]}".encode()).digest()

    return tuple(sorted(range(len(items)), key=digest))
