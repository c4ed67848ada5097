"""The whole widget: the questions, the score and a new start."""

from quizzes import outcome, texts
from quizzes.model import QuizText
from quizzes.prose import inline
from quizzes.shuffle import shown_order
from quizzes.static import title
from quizzes.widget import parts, style
from quizzes.widget.feedback import status
from quizzes.widget.panel import Panel


class Board:
    """A quiz to answer.

    Parameters
    ----------
    text
        The quiz.
    seed
        What choices and steps are shuffled with.
    """

    def __init__(self, text: QuizText, seed: int) -> None:
        self.text = text
        total = len(text.questions)
        self.panels = [
            Panel(
                question,
                shown_order(question, text.lesson, seed),
                texts.QUESTION.format(number=number, total=total),
                number,
                self._marked,
            )
            for number, question in enumerate(text.questions, 1)
        ]
        self.score = parts.html(status(self._score()))
        self.again = parts.button(texts.START_AGAIN, texts.START_AGAIN, self.clear)
        heading = f'<div role="heading" aria-level="3"><strong>{inline(title(text))}</strong></div>'
        self.box = parts.column(
            [
                parts.html(style.STYLE + heading),
                *(panel.box for panel in self.panels),
                self.score,
                self.again,
            ],
            style.ROOT,
        )

    def clear(self) -> None:
        """Take all answers back; what was saved stays saved."""
        for panel in self.panels:
            panel.clear()
        self.score.value = status(self._score())

    def _marked(self, question: str, *, right: bool) -> None:
        reason = outcome.save(self.text.lesson, question, right=right)
        trouble = f"<p>{inline(texts.NOT_SAVED.format(reason=reason))}</p>" if reason else ""
        self.score.value = status(self._score() + trouble)

    def _score(self) -> str:
        right = sum(panel.right is True for panel in self.panels)
        wrong = sum(panel.right is False for panel in self.panels)
        still_open = len(self.panels) - right - wrong
        said = [texts.SCORE.format(right=right, total=len(self.panels))]
        if wrong:
            said.append(texts.SCORE_WRONG.format(wrong=wrong))
        if still_open:
            said.append(texts.SCORE_OPEN.format(open=still_open))
        if right == len(self.panels):
            said.append(texts.SCORE_ALL)
        return f"<p>{inline(' '.join(said))}</p>"
