"""What the widget says after a try."""

from quizzes import texts
from quizzes.answers import choice_html, right_answer
from quizzes.marking import Verdict
from quizzes.model import ChoiceQuestion, Question
from quizzes.prose import block, inline
from quizzes.shuffle import letter

TRIES_BEFORE_ANSWER = 2


def status(content: str, kind: str = "") -> str:
    """Wrap what a screen reader shall say by itself when it changes."""
    return f'<div role="status" class="{kind}">{content}</div>' if content else '<div role="status"></div>'


def feedback(question: Question, order: tuple[int, ...], verdict: Verdict, tries: int) -> str:
    """Say how a try went.

    Parameters
    ----------
    question
        The question.
    order
        The order in which its choices are shown.
    verdict
        How the answer was marked.
    tries
        How often it was checked by now, this time included.

    Returns
    -------
    str
        HTML. From the second wrong try on it offers the right answer, folded away.
    """
    if verdict.right:
        words = texts.VERDICT_RIGHT if tries == 1 else texts.VERDICT_RIGHT_AGAIN
    else:
        words = texts.VERDICT_WRONG if tries == 1 else texts.VERDICT_WRONG_AGAIN
    # The count makes two equal outcomes differ, or a screen reader would keep silent at the second.
    said = [f"<p><strong>{inline(words.format(tries=tries))}</strong></p>"]
    for note in verdict.notes:
        if note.choice is not None and isinstance(question, ChoiceQuestion):
            said.append(_about(question, note.choice, order.index(note.choice)))
        said.append(block(note.why))
    if verdict.hint:
        said.append(f"<p>{inline(verdict.hint)}</p>")
    shown = status("".join(said), "right" if verdict.right else "wrong")
    if verdict.right or tries < TRIES_BEFORE_ANSWER:
        return shown
    return (
        f"{shown}<details><summary>{inline(texts.SHOW_ANSWER)}</summary>"
        f"{right_answer(question, order)}</details>"
    )


def _about(question: ChoiceQuestion, place: int, shown: int) -> str:
    if question.kind != "several":
        return ""
    words = texts.RIGHT if question.choices[place].right else texts.NOT_RIGHT
    return f"<p><strong>{letter(shown)}. {inline(words)}:</strong></p>{choice_html(question, place)}"
