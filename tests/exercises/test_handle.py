"""What a learner sees of an exercise."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab.errors import NotStarted
from celerylab.progress import Tried, standing
from exercises import Exercise, exercise
from exercises.definition import Definition
from exercises.errors import BadExercise, UnknownExercise

SAMPLES = Path(__file__).parent / "samples"
CHECK = "    if not callable(answer):\n"


def evens(numbers: list[int]) -> int:
    return sum(1 for each in numbers if each % 2 == 0)


def odds(numbers: list[int]) -> int:
    return len(numbers) - evens(numbers)


def broken(numbers: list[int]) -> int:
    return numbers[7]


def test_exercise_shows_title_and_text(sample: Exercise) -> None:
    assert repr(sample).startswith("9-1a Count the even numbers\n\nWrite `evens(numbers)`")
    assert sample._repr_markdown_().startswith("**9-1a Count the even numbers**\n\nWrite")


def test_exercise_found_by_id() -> None:
    assert exercise("9-1a", SAMPLES).id == "9-1a"


def test_exercise_unknown_lists_those_that_exist() -> None:
    with pytest.raises(UnknownExercise, match=r"no exercise '9-9z'.*9-1a"):
        exercise("9-9z", SAMPLES)


def test_check_right_answer(sample: Exercise) -> None:
    outcome = sample.check(evens)
    assert repr(outcome) == "9-1a: Right. Three lists, three right counts."
    assert outcome._repr_markdown_() == "**9-1a: Right.** Three lists, three right counts."


def test_check_wrong_answer_says_what_it_saw(sample: Exercise) -> None:
    outcome = sample.check(odds)
    assert repr(outcome) == "9-1a: Not right yet. For [1, 2, 4] it returned 1; 2 of them are even."
    assert outcome.facts["expected"] == 2


def test_check_placeholder_is_not_attempted_and_not_recorded(sample: Exercise) -> None:
    assert repr(sample.check(...)).startswith("Not attempted yet. Replace every `...`")
    assert standing("9-1").exercises == {}


def test_check_records_tries_and_right(sample: Exercise) -> None:
    sample.check(odds)
    assert standing("9-1").exercises == {"9-1a": Tried(tries=1, right=False)}
    sample.check(evens)
    sample.check(odds)
    assert standing("9-1").exercises == {"9-1a": Tried(tries=3, right=True)}


def test_check_learners_error_is_shown_as_theirs(sample: Exercise) -> None:
    outcome = sample.check(broken)
    assert (outcome.kind, outcome.key) == ("not right", "raised")
    place, line, what = repr(outcome).splitlines()[2:]
    assert re.fullmatch(r"    test_handle\.py, line \d+, in broken", place)
    assert (line, what) == ("        return numbers[7]", "    IndexError: list index out of range")


def test_check_learners_exit_does_not_end_the_notebook(sample: Exercise) -> None:
    def leaving(numbers: list[int]) -> int:
        raise SystemExit(3)

    assert "SystemExit: 3" in repr(sample.check(leaving))


def test_check_endless_recursion_is_cut(sample: Exercise) -> None:
    def again(numbers: list[int]) -> int:
        return again(numbers)

    shown = repr(sample.check(again))
    assert "more of your own calls before these" in shown
    assert len(shown.splitlines()) < 20


def test_check_error_outside_call_is_learners_by_its_frames(edited: Callable[..., Definition]) -> None:
    ex = Exercise(edited(("call(answer, numbers)", "answer(numbers)")))
    assert ex.check(broken).key == "raised"


def test_check_own_mistake_propagates_with_note(edited: Callable[..., Definition]) -> None:
    ex = Exercise(edited((CHECK, "    1 / 0\n" + CHECK)))
    with pytest.raises(ZeroDivisionError) as raised:
        ex.check(evens)
    assert raised.value.__notes__ == [
        "This is a mistake in the check of exercise 9-1a, not in your answer. Please report it."
    ]


def test_check_without_lab_says_so_in_one_line(edited: Callable[..., Definition]) -> None:
    raising = '    from celerylab.errors import NotStarted\n    raise NotStarted("Run lab.start() first.")\n'
    ex = Exercise(edited((CHECK, raising + CHECK)))
    assert repr(ex.check(evens)) == "Not checked. Run lab.start() first."
    assert standing("9-1").exercises == {}


def test_check_worker_that_does_not_start_is_the_learners_error(edited: Callable[..., Definition]) -> None:
    raising = (
        "    from celerylab.errors import ProcessFailed\n"
        '    raise ProcessFailed("tasks_1_2 could not be imported.\\n  NameError")\n'
    )
    outcome = Exercise(edited((CHECK, raising + CHECK))).check(evens)
    assert outcome.key == "raised"
    assert repr(outcome).endswith(":\n\n    tasks_1_2 could not be imported.\n      NameError")
    assert standing("9-1").exercises == {"9-1a": Tried(tries=1, right=False)}


def test_check_without_lab_inside_learners_code_says_so(sample: Exercise) -> None:
    def starting(numbers: list[int]) -> int:
        raise NotStarted("Run lab.start() first.")

    assert sample.check(starting).key == "lab"


def test_check_missing_fact_names_it(edited: Callable[..., Definition]) -> None:
    ex = Exercise(
        edited(
            ('not_right("no_function", found=repr(answer))', '(lambda key: not_right(key))("no_function")')
        )
    )
    with pytest.raises(BadExercise, match="without the fact 'found'"):
        ex.check(3)


def test_check_unknown_computed_key_is_refused(edited: Callable[..., Definition]) -> None:
    ex = Exercise(edited(("return right()", 'return right("ri" + "te")')))
    with pytest.raises(BadExercise, match="check gives 'rite'"):
        ex.check(evens)


def test_check_returning_no_outcome_is_refused(edited: Callable[..., Definition]) -> None:
    ex = Exercise(edited(("return right()", "return True")))
    with pytest.raises(BadExercise, match="check returned True"):
        ex.check(evens)


def test_hint_goes_on_and_ends(sample: Exercise) -> None:
    shown = [repr(sample.hint()) for _ in range(3)]
    assert shown[0].startswith("Hint 1 of 2: A number is even")
    assert shown[1].startswith("Hint 2 of 2: `sum` counts")
    assert shown[2].startswith("That was the last of 2 hints")


def test_hint_by_number(sample: Exercise) -> None:
    assert repr(sample.hint(2)).startswith("Hint 2 of 2")
    assert repr(sample.hint()).startswith("Hint 1 of 2")
    assert repr(sample.hint(0)) == "This exercise has hints 1 to 2; hint 0 is not one of them."


def test_solution_shows_cells(edited: Callable[..., Definition]) -> None:
    two = '%%writefile counting.py\nx = 1\n# %%\nfrom counting import x\n"""\n\nWRONG'
    before = '\ndef evens(numbers):\n    return sum(1 for each in numbers if each % 2 == 0)\n"""\n\nWRONG'
    shown = Exercise(edited((before, two))).solution()
    assert repr(shown) == "%%writefile counting.py\nx = 1\n\nfrom counting import x"
    assert shown._repr_markdown_() == (
        "```python\n%%writefile counting.py\nx = 1\n```\n\nIn a cell of its own:\n\n"
        "```python\nfrom counting import x\n```"
    )
