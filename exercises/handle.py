"""What a learner holds: an exercise that shows itself, checks an answer and gives hints."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from celerylab.errors import LabError, ProcessFailed
from celerylab.progress import record
from exercises import texts
from exercises.definition import FOLDER, Definition, load, refusal
from exercises.errors import LearnerRaised
from exercises.feedback import fill
from exercises.frames import learners_frames, render
from exercises.outcome import Kind, Outcome, not_attempted, not_right
from exercises.source import cells


def exercise(exercise_id: str, folder: Path = FOLDER) -> "Exercise":
    """Return an exercise by its id, such as "1-2a".

    Parameters
    ----------
    exercise_id
        The lesson's id and the exercise's letter.
    folder
        Where the exercise modules are.
    """
    return Exercise(load(exercise_id, folder))


@dataclass(frozen=True, repr=False)
class Shown:
    """A text that displays as Markdown, and as plain text where there is none."""

    plain: str
    markdown: str

    def __repr__(self) -> str:
        return self.plain

    def _repr_markdown_(self) -> str:
        return self.markdown


class Exercise:
    """One exercise; displays as its title and text.

    Parameters
    ----------
    definition
        What its module says.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._hints_shown = 0

    @property
    def id(self) -> str:
        """The exercise's id, "1-2a"."""
        return self._definition.id

    def __repr__(self) -> str:
        return f"{self.id} {self._definition.title}\n\n{self._definition.text}"

    def _repr_markdown_(self) -> str:
        return f"**{self.id} {self._definition.title}**\n\n{self._definition.text}"

    def check(self, answer: object) -> Outcome:
        """Check an answer, record the try, and return the outcome, which displays as its message.

        Parameters
        ----------
        answer
            What the exercise's text asks for: a value, a function, a module's name.
        """
        outcome = self._judge(answer)
        template = self._definition.feedback.get(outcome.key)
        if template is None:
            known = ", ".join(self._definition.feedback)
            raise self._refusal(texts.UNKNOWN_KEY.format(line="?", key=outcome.key, known=known))
        try:
            message = fill(template, outcome.facts)
        except KeyError as name:
            raise self._refusal(texts.MISSING_FACT.format(key=outcome.key, name=name)) from None
        # What kept the lab from looking is no try of the learner's.
        if outcome.kind is not Kind.NOT_ATTEMPTED and outcome.key != "lab":
            record("exercise", self.id, right=outcome.kind is Kind.RIGHT)
        return replace(outcome, message=message, exercise=self.id)

    def hint(self, tier: int | None = None) -> Shown:
        """Return the next hint, or a certain one (1 is the gentlest)."""
        hints = self._definition.hints
        if tier is None:
            if self._hints_shown == len(hints):
                return _same(texts.NO_MORE_HINTS.format(all=len(hints)))
            self._hints_shown += 1
            tier = self._hints_shown
        if not 1 <= tier <= len(hints):
            return _same(texts.NO_SUCH_HINT.format(all=len(hints), tier=tier))
        return _same(texts.HINT.format(tier=tier, all=len(hints), text=hints[tier - 1]))

    def solution(self) -> Shown:
        """Return an answer that is right, as source text."""
        sources: Sequence[str] = cells(self._definition.solution)
        blocks = [f"```python\n{source}\n```" for source in sources]
        return Shown("\n\n".join(sources), f"\n\n{texts.SOLUTION_CELL}\n\n".join(blocks))

    def _judge(self, answer: object) -> Outcome:
        if answer is Ellipsis:
            return not_attempted()
        own = [self._definition.path]
        try:
            outcome = self._definition.check(answer)
        except LearnerRaised as raised:
            return not_right("raised", traceback=render(raised.error, own))
        except ProcessFailed as problem:
            # A worker of the learner's module that did not start: the message ends with its log.
            return not_right("raised", traceback=textwrap.indent(str(problem), "    "))
        except LabError as problem:
            return not_right("lab", problem=problem)
        except Exception as error:
            if learners_frames(error, own):
                return not_right("raised", traceback=render(error, own))
            error.add_note(texts.CHECK_BROKE.format(id=self.id))
            raise
        if not isinstance(outcome, Outcome):
            raise self._refusal(texts.NO_OUTCOME.format(found=outcome))
        return outcome

    def _refusal(self, problem: str) -> Exception:
        return refusal(self._definition.path, problem)


def _same(text: str) -> Shown:
    return Shown(text, text)
