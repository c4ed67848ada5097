"""A quiz without a widget: for GitHub, nbviewer, a terminal and a comparison in CI.

Both forms depend on the file and the seed alone, to the byte.
"""

import textwrap

from quizzes import texts
from quizzes.answers import choice_html, every_answer
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question, QuizText
from quizzes.prose import block, code, inline
from quizzes.shuffle import letter, shown_order


def title(quiz: QuizText) -> str:
    """Name a quiz."""
    return texts.TITLE.format(lesson=quiz.lesson, title=quiz.title)


def how_to_answer(question: Question) -> str:
    """Say what kind of answer a question wants."""
    unit = question.unit if isinstance(question, NumberQuestion) else ""
    return texts.HOW_TO_ANSWER[question.kind].format(unit=unit)


def plain(quiz: QuizText, seed: int) -> str:
    """Write a quiz as plain text, without its answers.

    Parameters
    ----------
    quiz
        The quiz.
    seed
        What its choices are shuffled with.

    Returns
    -------
    str
        Questions, choices, and where the answers are.
    """
    parts = [title(quiz)]
    for number, question in enumerate(quiz.questions, 1):
        parts.append(f"{number}. " + _indent(question.ask, 3).lstrip())
        if isinstance(question, ChoiceQuestion) and question.code:
            parts.append(_indent(question.code, 7))
        order = shown_order(question, quiz.lesson, seed)
        parts.append("\n".join([_indent(how_to_answer(question), 3), *_plain_items(question, order)]))
    return "\n\n".join([*parts, texts.PLAIN_ANSWERS.format(file=quiz.file)])


def page(quiz: QuizText, seed: int) -> str:
    """Write a quiz as HTML, with its answers folded away.

    Parameters
    ----------
    quiz
        The quiz.
    seed
        What its choices are shuffled with.

    Returns
    -------
    str
        HTML without scripts or styles, which GitHub and nbviewer would take out.
    """
    items = "\n".join(
        _item(question, number, shown_order(question, quiz.lesson, seed))
        for number, question in enumerate(quiz.questions, 1)
    )
    # No heading elements: JupyterLab would list them in the lesson's table of contents.
    return (
        f"<p><strong>{inline(title(quiz))}</strong></p>\n<p>{inline(texts.STATIC_INTRO)}</p>\n"
        f"<ol>\n{items}\n</ol>"
    )


def question_html(question: Question) -> str:
    """Write what a question asks, its code included."""
    shown = code(question.code) if isinstance(question, ChoiceQuestion) and question.code else ""
    return f"{block(question.ask)}{shown}<p>{inline(how_to_answer(question))}</p>"


def _item(question: Question, number: int, order: tuple[int, ...]) -> str:
    return (
        f"<li>{question_html(question)}{_items(question, order)}\n"
        f"<details><summary>{inline(texts.STATIC_ANSWER.format(number=number))}</summary>"
        f"{every_answer(question, order)}</details></li>"
    )


def _items(question: Question, order: tuple[int, ...]) -> str:
    match question:
        case ChoiceQuestion():
            listed = "".join(f"<li>{choice_html(question, place)}</li>" for place in order)
            return f'<ol type="A">{listed}</ol>'
        case OrderQuestion(steps=steps):
            return f"<ul>{''.join(f'<li>{inline(steps[place])}</li>' for place in order)}</ul>"
        case NumberQuestion():
            return ""


def _plain_items(question: Question, order: tuple[int, ...]) -> list[str]:
    match question:
        case ChoiceQuestion(choices=choices):
            return [
                f"   {letter(shown)}. " + _indent(choices[place].text, 6).lstrip()
                for shown, place in enumerate(order)
            ]
        case OrderQuestion(steps=steps):
            return [f"   - {steps[place]}" for place in order]
        case NumberQuestion():
            return []


def _indent(text: str, width: int) -> str:
    return textwrap.indent(text, " " * width)
