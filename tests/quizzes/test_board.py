import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets  # type: ignore[import-untyped]
import pytest

from celerylab import progress
from quizzes import Quiz
from quizzes.library import load
from quizzes.prose import bare
from quizzes.widget import Board
from quizzes.widget.style import STYLE

ONE, SEVERAL, PREDICT, ORDER, NUMBER = range(5)


@pytest.fixture
def board(write: Callable[..., Path]) -> Board:
    return Board(load(write()), seed=0)


def inside(widget: Any, kind: type) -> list[Any]:
    children = getattr(widget, "children", ())
    return [widget] * isinstance(widget, kind) + [w for child in children for w in inside(child, kind)]


def check(board: Board, question: int) -> str:
    button = inside(board.panels[question].box, ipywidgets.Button)[0]
    assert button.description == "Check answer"
    button.click()
    return said(board, question)


def said(board: Board, question: int) -> str:
    status = re.search(
        r'<div role="status"[^>]*>(.*?)</div>', board.panels[question].feedback.value, re.DOTALL
    )
    assert status
    return re.sub(r"<[^>]+>", " ", status[1])


def choose(board: Board, question: int, text: str) -> None:
    radios = inside(board.panels[question].box, ipywidgets.RadioButtons)[0]
    radios.label = next(label for label, _ in radios.options if text in label)


def tick(board: Board, *texts: str) -> None:
    for box in inside(board.panels[SEVERAL].box, ipywidgets.Checkbox):
        box.value = any(text in box.description for text in texts)


def place(board: Board, **places: str) -> None:
    for steps in inside(board.panels[ORDER].box, ipywidgets.Dropdown):
        steps.label = places[steps.description.rstrip(".").split()[0]]


def type_in(board: Board, text: str) -> None:
    inside(board.panels[NUMBER].box, ipywidgets.Text)[0].value = text


def answer_all_right(board: Board) -> None:
    choose(board, ONE, "<b>")
    tick(board, "Two", "Four")
    choose(board, PREDICT, "3")
    place(board, Boil="1", Pour="2", Take="3", Drink="4")
    type_in(board, "0.35")
    for question in range(5):
        check(board, question)


def recorded() -> dict[str, tuple[int, bool]]:
    return {part: (tried.tries, tried.right) for part, tried in progress.standing("7-1").questions.items()}


def test_board_when_all_is_answered_right(board: Board) -> None:
    answer_all_right(board)
    assert all(said(board, question).split()[0] == "Right." for question in range(5))
    assert "It comes first." in said(board, ONE)
    assert "Score: 5 of 5 right. All questions are answered right." in board.score.value
    assert recorded() == dict.fromkeys(["pick", "pick-some", "guess", "sort", "count"], (1, True))


def test_check_when_a_wrong_choice_is_made(board: Board) -> None:
    choose(board, ONE, "True")
    feedback = check(board, ONE)
    assert "Not right." in feedback
    assert "Truth is no order." in feedback
    assert "It comes" not in board.panels[ONE].feedback.value
    assert recorded() == {"pick": (1, False)}
    assert "Score: 0 of 5 right. 1 not right. 4 not answered yet." in board.score.value


@pytest.mark.parametrize("answer", ["choose", "tick", "place", "type"])
def test_check_when_wrong_a_first_and_a_second_time(board: Board, answer: str) -> None:
    question, right = {
        "choose": (ONE, "It comes first."),
        "tick": (SEVERAL, "Four is even."),
        "place": (ORDER, "hot water"),
        "type": (NUMBER, "0.3 seconds"),
    }[answer]
    choose(board, ONE, "True")
    tick(board, "Five")
    place(board, Boil="1", Pour="2", Take="4", Drink="3")
    type_in(board, "7")
    check(board, question)
    feedback = board.panels[question].feedback
    assert right not in feedback.value
    assert "<details>" not in feedback.value
    first = feedback.value
    assert "at try 2" in check(board, question)
    assert feedback.value != first, "equal feedback is not read out again"
    status, folded = feedback.value.split("<details><summary>Show the right answer</summary>")
    assert right in folded
    assert right not in status


def test_check_when_answered_again_and_right(board: Board) -> None:
    choose(board, ONE, "True")
    check(board, ONE)
    choose(board, ONE, "<b>")
    assert "Right, at try 2." in check(board, ONE)
    assert "<details>" not in board.panels[ONE].feedback.value
    assert recorded() == {"pick": (2, True)}
    assert "Score: 1 of 5 right. 4 not answered yet." in board.score.value


def test_check_when_nothing_is_answered(board: Board) -> None:
    asked = [check(board, question) for question in range(5)]
    assert "Choose one answer" in asked[ONE]
    assert "Choose at least one" in asked[SEVERAL]
    assert "Choose one answer" in asked[PREDICT]
    assert "Give each step one" in asked[ORDER]
    assert "Type one" in asked[NUMBER]
    assert recorded() == {}
    assert "5 not answered yet" in board.score.value


def test_several_when_one_right_choice_is_missing(board: Board) -> None:
    tick(board, "Two")
    feedback = check(board, SEVERAL)
    assert "Not right." in feedback
    assert "Two is even." in feedback
    assert "not all" in feedback
    assert "Four" not in board.panels[SEVERAL].feedback.value


def test_several_when_a_wrong_choice_is_among_them(board: Board) -> None:
    tick(board, "Two", "Five")
    feedback = check(board, SEVERAL)
    assert re.search(r"[ABC]\. Right: *Two *Two is even\.", feedback)
    assert re.search(r"[ABC]\. Not right: *Five *Five is odd\.", feedback)
    assert "did not choose is right" in feedback
    tick(board, "Two", "Four", "Five")
    feedback = check(board, SEVERAL)
    assert "Not right, at try 2." in feedback
    assert "did not choose" not in feedback


def test_order_when_a_known_mistake_is_made(board: Board) -> None:
    place(board, Boil="1", Pour="2", Take="4", Drink="3")
    feedback = check(board, ORDER)
    assert "There are leaves in your mouth." in feedback
    assert "The water is cold." not in feedback
    assert "Steps that stand where they belong: 2 of 4." in feedback


def test_order_when_the_mistake_has_no_name(board: Board) -> None:
    place(board, Boil="1", Pour="3", Take="2", Drink="4")
    feedback = check(board, ORDER)
    assert "Not right." in feedback
    assert "leaves" not in feedback
    assert "2 of 4" in feedback


def test_order_when_a_place_is_taken_twice(board: Board) -> None:
    place(board, Boil="1", Pour="2", Take="2", Drink="4")
    assert "Place 2 is taken more than once." in check(board, ORDER)
    assert recorded() == {}


def test_order_when_one_step_has_no_place(board: Board) -> None:
    place(board, Boil="1", Pour="2", Take="3", Drink="not placed")
    assert "Not every step has a place" in check(board, ORDER)


@pytest.mark.parametrize("typed", ["0.3", "0.2", "0.4", " .35 ", "0,3", "0.3 seconds", "+0.3"])
def test_number_when_within_the_tolerance(board: Board, typed: str) -> None:
    type_in(board, typed)
    assert "Right. " in check(board, NUMBER)


@pytest.mark.parametrize(
    ("typed", "feedback"),
    [
        ("0.41", "lower than 0.41"),
        ("0.19", "higher than 0.19"),
        ("-3", "higher than -3"),
        ("300", "Those are milliseconds."),
        ("300.1", "Those are milliseconds."),
    ],
)
def test_number_when_wrong(board: Board, typed: str, feedback: str) -> None:
    type_in(board, typed)
    answered = check(board, NUMBER)
    assert "Not right." in answered
    assert feedback in answered


@pytest.mark.parametrize("typed", ["soon", "3 minutes", "1 2", "nan", "<b>", "1e", "--1"])
def test_number_when_it_cannot_be_read(board: Board, typed: str) -> None:
    type_in(board, typed)
    assert "does not read as a number" in check(board, NUMBER)
    assert "<b>" not in board.panels[NUMBER].feedback.value
    assert recorded() == {}


def test_start_again_when_pressed(board: Board) -> None:
    answer_all_right(board)
    again = inside(board.box, ipywidgets.Button)[-1]
    assert again.description == "Clear all answers and start again"
    again.click()
    assert "Score: 0 of 5 right. 5 not answered yet." in board.score.value
    assert {panel.feedback.value for panel in board.panels} == {'<div role="status"></div>'}
    asked = [check(board, question) for question in range(5)]
    assert all("then check" in text for text in asked), "no answer is left"
    assert recorded()["pick"] == (1, True), "what was reached stays reached"
    choose(board, ONE, "True")
    assert "Not right." in check(board, ONE), "tries count from the start again"


def test_check_when_the_outcome_cannot_be_saved(board: Board, home: Path) -> None:
    home.write_text("a file where a folder should be")
    choose(board, ONE, "<b>")
    assert "Right." in check(board, ONE)
    assert "Score: 1 of 5 right." in board.score.value
    assert "it was not saved" in board.score.value
    assert str(home) in board.score.value


def test_check_when_progress_itself_fails(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("<no such lesson>")

    monkeypatch.setattr(progress, "record", fail)
    choose(board, ONE, "<b>")
    assert "Right." in check(board, ONE)
    assert "it was not saved: &lt;no such lesson&gt;" in board.score.value


def test_labels_when_a_screen_reader_meets_them(board: Board) -> None:
    for field in [*inside(board.box, ipywidgets.Text), *inside(board.box, ipywidgets.Dropdown)]:
        assert field.description
    assert inside(board.box, ipywidgets.Text)[0].description == "Your answer, in seconds:"
    # Each number's button has the same words, so the question is in its description.
    hints = [button.tooltip for button in inside(board.box, ipywidgets.Button)]
    assert len(set(hints)) == 6
    headings = re.findall(
        r'role="heading" aria-level="(\d)"', " ".join(w.value for w in inside(board.box, ipywidgets.HTML))
    )
    assert headings == ["3", *["4"] * 5]
    assert all('role="status"' in panel.feedback.value for panel in board.panels)
    assert 'role="status"' in board.score.value


def test_dropdowns_when_nothing_is_placed_yet(board: Board) -> None:
    shown = inside(board.panels[ORDER].box, ipywidgets.Dropdown)
    assert {(steps.index, steps.label) for steps in shown} == {(0, "not placed")}
    assert [label for label, _ in shown[0].options] == ["not placed", "1", "2", "3", "4"]


def test_choices_when_the_static_form_shows_the_same_order(board: Board, write: Callable[..., Path]) -> None:
    text = bare(str(Quiz(load(write()))))
    labels = [label for label, _ in inside(board.panels[ONE].box, ipywidgets.RadioButtons)[0].options]
    places = [text.index(label) for label in labels]
    assert places == sorted(places)
    other = Board(load(write()), seed=1)
    assert labels != [label for label, _ in inside(other.panels[ONE].box, ipywidgets.RadioButtons)[0].options]


def test_outputs_when_they_have_several_lines(board: Board) -> None:
    labels = [label for label, _ in inside(board.panels[PREDICT].box, ipywidgets.RadioButtons)[0].options]
    assert sorted(label[2:] for label in labels) == ["\none\ntwo", "\none\ntwo\n3"]


def test_markup_when_it_comes_from_the_bank(board: Board) -> None:
    shown = " ".join(widget.value for widget in inside(board.box, ipywidgets.HTML))
    assert "Say &lt;hello&gt; &amp; <code>wave</code>" in shown
    assert "if a &lt; b: pass" in shown
    assert "<hello>" not in shown


def test_labels_when_the_bank_marks_code(board: Board, write: Callable[..., Path], sample: str) -> None:
    radios = inside(board.panels[ONE].box, ipywidgets.RadioButtons)[0]
    assert [label[3:] for label, _ in radios.options if "<b>" in label] == ["The <b> one"]
    text = sample.replace("right: Two", "right: The `<b>` two").replace("- Boil", "- See `<i>`. Boil")
    marked = Board(load(write(text)), seed=0)
    boxes = inside(marked.panels[SEVERAL].box, ipywidgets.Checkbox)
    lists = inside(marked.panels[ORDER].box, ipywidgets.Dropdown)
    assert all(widget.description_allow_html for widget in (*boxes, *lists))
    assert any("The <code>&lt;b&gt;</code> two" in box.description for box in boxes)
    assert any("See <code>&lt;i&gt;</code>. Boil" in each.description for each in lists)


def test_style_when_themes_differ() -> None:
    colours = re.findall(r"(?:color|background|border[a-z-]*|outline): ([^;]+);", STYLE)
    assert colours
    assert not [
        colour for colour in colours if re.search(r"#|rgb|\b(red|green|black|white|gr[ae]y)\b", colour)
    ]
