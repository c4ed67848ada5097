from quizzes.model import Choice, ChoiceQuestion, NumberQuestion, OrderQuestion
from quizzes.shuffle import shown_order


def choosing(*texts: str) -> ChoiceQuestion:
    choices = tuple(Choice(text, place == 0, ".") for place, text in enumerate(texts))
    return ChoiceQuestion("q", "one", "?", choices)


def test_shown_order_when_computed_on_any_day() -> None:
    # Written down: committed notebooks hold it, so no change of Python may change it.
    assert shown_order(choosing("a", "b", "c", "d", "e"), "1-2", 0) == (0, 1, 4, 3, 2)


def test_shown_order_when_the_seed_changes() -> None:
    question = choosing(*"abcdefgh")
    orders = {shown_order(question, "1-2", seed) for seed in range(20)}
    assert len(orders) == 20
    assert all(sorted(order) == list(range(8)) for order in orders)


def test_shown_order_when_the_lesson_changes() -> None:
    question = choosing(*"abcdefgh")
    assert shown_order(question, "1-2", 0) != shown_order(question, "1-3", 0)


def test_shown_order_when_the_right_choice_is_written_first() -> None:
    places = {shown_order(choosing("a", "b", "c", "d"), "1-2", seed).index(0) for seed in range(40)}
    assert places == {0, 1, 2, 3}


def test_shown_order_when_it_would_give_steps_away() -> None:
    question = OrderQuestion("q", "?", ("a", "b", "c"), ".", ())
    shown = [shown_order(question, "1-2", seed) for seed in range(60)]
    assert (0, 1, 2) not in shown
    assert len(set(shown)) == 5


def test_shown_order_when_there_is_nothing_to_shuffle() -> None:
    assert shown_order(NumberQuestion("q", "?", 1, "s", 0, ".", ()), "1-2", 0) == ()
