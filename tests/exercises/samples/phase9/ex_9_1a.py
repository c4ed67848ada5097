"""Exercise 9-1a, for the engine's own tests: needs no worker."""

from collections.abc import Callable

from exercises import Outcome, call, not_attempted, not_right, right, unfinished

TITLE = "Count the even numbers"

TEXT = """
Write `evens(numbers)`, which returns how many of `numbers` are even.
`check` calls it with three lists; one of them is empty, one holds negative numbers.
"""

HINTS = [
    "A number is even if dividing it by 2 leaves nothing.",
    "`sum` counts: `sum(1 for each in numbers if ...)`.",
]

FEEDBACK = {
    "right": "Three lists, three right counts.",
    "no_function": "The lab got {found}. Hand over the function itself, without calling it.",
    "wrong_count": "For {numbers} it returned {found}; {expected} of them are even.",
}

SOLUTION = """
def evens(numbers):
    return sum(1 for each in numbers if each % 2 == 0)
"""

WRONG = {
    "wrong_count": [
        """
def evens(numbers):
    return sum(1 for each in numbers if each % 2 == 1)
""",
        """
def evens(numbers):
    return [each for each in numbers if each % 2 == 0]
""",
    ],
    "no_function": "evens = 3",
    "raised": """
%%writefile counting_9_1.py
def evens(numbers):
    return sum(numbers) / len(numbers)
# %%
from counting_9_1 import evens
""",
}


def check(answer: Callable[[list[int]], int]) -> Outcome:
    """Call the learner's function with three lists."""
    if not callable(answer):
        return not_right("no_function", found=repr(answer))
    if unfinished(answer):
        return not_attempted()
    for numbers in ([], [1, 2, 4], [-2, -1]):
        expected = sum(1 for each in numbers if each % 2 == 0)
        found = call(answer, numbers)
        if found != expected:
            return not_right("wrong_count", numbers=numbers, found=found, expected=expected)
    return right()
