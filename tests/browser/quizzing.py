"""Answers a quiz in the browser: with the mouse, or with the keyboard alone."""

from collections.abc import Callable
from typing import assert_never

from playwright.sync_api import Locator, Page, expect

from quizzes import library
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question
from quizzes.prose import bare
from quizzes.shuffle import letter, shown_order
from tests.browser.jupyterlab import Notebook

QUIZ = ".celerylab-quiz"
TABS = 40  # more than there are places to stop at, from the cell to the quiz's end


class AtTheQuiz:
    """Somebody who answers the quiz of a lesson, and knows its bank.

    Parameters
    ----------
    notebook
        The notebook that shows it.
    lesson
        "1-2".
    """

    def __init__(self, notebook: Notebook, lesson: str) -> None:
        self.notebook, self.page, self.lesson = notebook, notebook.page, lesson
        self.questions = library.find(lesson).questions

    def panel(self, question: Question) -> Locator:
        """Return where a question stands."""
        return self.page.locator(f"{QUIZ} > .widget-vbox").nth(self.questions.index(question))

    def said(self, question: Question) -> Locator:
        """Return what it says after a try."""
        return self.panel(question).get_by_role("status")

    def button(self, question: Question) -> Locator:
        """Return the button that checks an answer."""
        return self.panel(question).get_by_role("button", name="Check answer")

    def choices(self, question: ChoiceQuestion, right: bool) -> list[Locator]:
        """Return the radio buttons or boxes to choose, by their names."""
        role = "checkbox" if question.kind == "several" else "radio"
        found = []
        for shown, place in enumerate(shown_order(question, self.lesson, 0)):
            choice = question.choices[place]
            text = choice.text if question.kind == "predict" else bare(choice.text)
            if choice.right == right:
                name = f"{letter(shown)}. {' '.join(text.split())}"
                found.append(self.panel(question).get_by_role(role, name=name, exact=True))
        return found if right else found[:1]

    def places(self, question: OrderQuestion, right: bool) -> list[tuple[Locator, int]]:
        """Return each step's list, as shown, with the place to give it."""
        order = shown_order(question, self.lesson, 0)
        turn = 0 if right else 1
        return [
            (
                self.panel(question).get_by_label(bare(question.steps[step]), exact=True),
                (step + turn) % len(order) + 1,
            )
            for step in order
        ]

    def number(self, question: NumberQuestion, right: bool) -> tuple[Locator, str]:
        """Return the field, with what to type."""
        field = self.panel(question).get_by_label(f"Your answer, in {question.unit}:")
        return field, f"{question.answer if right else question.answer + question.tolerance + 1:g}"


class Mouse(AtTheQuiz):
    """Clicks."""

    def answer(self, question: Question, right: bool) -> None:
        """Answer a question and have it checked."""
        match question:
            case ChoiceQuestion():
                boxes = self.panel(question).get_by_role("checkbox")
                for box in boxes.all():
                    box.uncheck()
                for choice in self.choices(question, right):
                    choice.check()
            case OrderQuestion():
                for steps, place in self.places(question, right):
                    steps.select_option(str(place))
            case NumberQuestion():
                field, text = self.number(question, right)
                field.fill(text)
            case _:
                assert_never(question)
        self.notebook.settle()
        self.button(question).click()


class Keyboard(AtTheQuiz):
    """Presses keys, and looks where the focus is."""

    def answer(self, question: Question, right: bool) -> None:
        """Answer a question and have it checked, in the order in which Tab leads there."""
        match question:
            case ChoiceQuestion(kind="several"):
                chosen = self.choices(question, right)
                for box in self.panel(question).get_by_role("checkbox").all():
                    wanted = any(box.and_(choice).count() for choice in chosen)
                    if box.is_checked() != wanted:
                        tab_to(self.page, box)
                        self.page.keyboard.press("Space")
                        expect(box).to_be_checked(checked=wanted)
            case ChoiceQuestion():
                (choice,) = self.choices(question, right)
                tab_to(self.page, self.panel(question).get_by_role("radio"))
                self.page.keyboard.press("Space")
                press_until(self.page, "ArrowDown", choice.is_checked)
                expect(choice).to_be_focused()
            case OrderQuestion():
                for steps, place in self.places(question, right):
                    tab_to(self.page, steps)
                    if right:  # by its name
                        self.page.keyboard.press(str(place))
                    else:
                        for _ in range(place):
                            self.page.keyboard.press("ArrowDown")
                    expect(steps).to_have_value(str(place))
            case NumberQuestion():
                field, text = self.number(question, right)
                tab_to(self.page, field)
                self.page.keyboard.press("ControlOrMeta+a")
                self.page.keyboard.type(text)
            case _:
                assert_never(question)
        self.notebook.settle()
        tab_to(self.page, self.button(question))
        self.page.keyboard.press("Space" if right else "Enter")


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until one of some places has the focus, and see it there."""
    focus = page.locator(":focus")
    press_until(page, "Tab", lambda: focus.and_(place).count() > 0)
    assert focus.evaluate("e => getComputedStyle(e).outlineStyle") == "solid", "the focus is not seen"


def press_until(page: Page, key: str, reached: Callable[[], bool]) -> None:
    """Press a key until something is reached."""
    for _ in range(TABS):
        if reached():
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead there")
