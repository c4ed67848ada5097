"""The right answers in HTML: folded away in the static form, asked for in the widget."""

from quizzes import texts
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion, Question
from quizzes.prose import block, code, inline
from quizzes.shuffle import letter


def choice_html(question: ChoiceQuestion, place: int) -> str:
    """Show a choice: output as it stands, anything else as prose."""
    text = question.choices[place].text
    return code(text) if question.kind == "predict" else f"<p>{inline(text)}</p>"


def right_answer(question: Question, order: tuple[int, ...]) -> str:
    """Show the right answer and its explanation, without the wrong ones."""
    match question:
        case ChoiceQuestion(choices=choices):
            return "".join(
                f"<p><strong>{letter(shown)}.</strong></p>{choice_html(question, place)}"
                f"{block(choices[place].why)}"
                for shown, place in enumerate(order)
                if choices[place].right
            )
        case OrderQuestion(steps=steps, why=why):
            listed = "".join(f"<li>{inline(step)}</li>" for step in steps)
            return f"<p>{inline(texts.STATIC_ORDER)}</p><ol>{listed}</ol>{block(why)}"
        case NumberQuestion(why=why):
            return f"<p><strong>{inline(number_answer(question))}</strong></p>{block(why)}"


def every_answer(question: Question, order: tuple[int, ...]) -> str:
    """Show the right answer and what is wrong with each other one."""
    match question:
        case ChoiceQuestion(choices=choices):
            return "".join(
                f"<p><strong>{letter(shown)}. {texts.RIGHT if choices[place].right else texts.NOT_RIGHT}."
                f"</strong></p>{block(choices[place].why)}"
                for shown, place in enumerate(order)
            )
        case OrderQuestion(steps=steps, mistakes=swaps):
            wrong = "".join(
                _mistake(
                    texts.STATIC_MISTAKE_ORDER.format(early=steps[swap.puts], late=steps[swap.before]),
                    swap.why,
                )
                for swap in swaps
            )
        case NumberQuestion(mistakes=numbers):
            wrong = "".join(
                _mistake(texts.STATIC_MISTAKE_NUMBER.format(answer=number.answer), number.why)
                for number in numbers
            )
    return right_answer(question, order) + wrong


def number_answer(question: NumberQuestion) -> str:
    """Say the right number, with its unit."""
    form = texts.STATIC_NUMBER_ABOUT if question.tolerance else texts.STATIC_NUMBER
    return form.format(answer=question.answer, unit=question.unit, tolerance=question.tolerance)


def _mistake(made: str, why: str) -> str:
    return f"<p>{inline(made)}</p>{block(why)}"
