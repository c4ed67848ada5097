"""How long a lesson takes, from what can be counted in it: ``python -m tests.notebooks.durations``.

A lesson's first cell states the result, rounded to five minutes; `test_form.py` compares. These
are rates for somebody who works alone, reads English as a second language and gets each exercise
wrong once. Learners' own times are measured, see `celerylab.progress`; change a rate when a room
of them says so.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass

from celerylab.course import Lesson, lessons
from exercises.definition import load
from exercises.starter import read_starter
from quizzes.library import load as load_quiz
from quizzes.model import ChoiceQuestion, OrderQuestion, Question

WORDS_PER_MINUTE = 150
"""Prose. Adults read English non-fiction at 238 words a minute, most of them at 175 to 300, and
more slowly as a second language (Brysbaert 2019, doi.org/10.1016/j.jml.2019.104047)."""

SECONDS_PER_CODE_LINE = 10
"""Code that is read: 360 lines an hour. Reviewers who find what is wrong read 300 to 500
(Cohen, Best Kept Secrets of Peer Code Review, 2006)."""

SECONDS_PER_OUTPUT = 20
"""A guess before the cell is run, and a look at what it shows after. Our own estimate."""

SECONDS_PER_ANSWER_LINE = 30
"""A line of an exercise that the starter cells do not give: found and typed. Our own estimate."""

MINUTES_PER_ATTEMPT = 2
"""The first, wrong answer to an exercise: its feedback, a hint, another look. Our own estimate."""

SECONDS_PER_QUESTION = 30
"""A quiz question: the choice, and why it was right or wrong. With the reading that makes the
minute that examiners allow for a question with choices."""

RUN_MINUTES = 0.5
"""All cells: 30 s is the most that a lesson may run. Measured, they run for 9 s each on two quiet
cores: `make bench ONLY=notebooks` runs all of them one after another."""

ROUNDED_TO = 5
LINK_TARGET = re.compile(r"\]\([^)]*\)")
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
TABLE = re.compile(r"^\|.*$", re.MULTILINE)


@dataclass(frozen=True)
class Counts:
    """What was counted in one lesson."""

    words: int
    code_lines: int
    outputs: int
    exercises: int
    exercise_words: int
    answer_lines: int
    questions: int
    question_words: int

    @property
    def minutes(self) -> int:
        """How long the lesson takes, rounded."""
        reading = (self.words + self.exercise_words + self.question_words) / WORDS_PER_MINUTE
        seconds = (
            self.code_lines * SECONDS_PER_CODE_LINE
            + self.outputs * SECONDS_PER_OUTPUT
            + self.answer_lines * SECONDS_PER_ANSWER_LINE
            + self.questions * SECONDS_PER_QUESTION
        )
        exact = reading + seconds / 60 + self.exercises * MINUTES_PER_ATTEMPT + RUN_MINUTES
        return ROUNDED_TO * round(exact / ROUNDED_TO)


def count(lesson: Lesson) -> Counts:
    """Count what takes time in a lesson, its exercises and its quiz."""
    notebook = json.loads(lesson.notebook.read_text(encoding="utf-8"))
    prose = [_source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    steps = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        and not any(tag.startswith("exercise:") for tag in cell["metadata"].get("tags", []))
    ]
    definitions = [load(each) for each in lesson.exercises]
    answers = [
        _lines(definition.solution)
        - sum(map(_lines, read_starter(definition.id, lesson.notebook).cells), Counter())
        for definition in definitions
    ]
    questions = load_quiz(lesson.quiz).questions if lesson.quiz else ()
    return Counts(
        words=sum(map(_words, prose)),
        code_lines=sum(_lines(_source(cell)).total() for cell in steps),
        outputs=sum(bool(cell["outputs"]) for cell in steps),
        exercises=len(definitions),
        exercise_words=sum(_words(definition.text) for definition in definitions),
        answer_lines=sum(answer.total() for answer in answers),
        questions=len(questions),
        question_words=sum(_words(text) for question in questions for text in _asked(question)),
    )


def _source(cell: dict[str, list[str]]) -> str:
    return "".join(cell["source"])


def _words(markdown: str) -> int:
    # addresses are not read; a table is looked up, not read
    return len(TABLE.sub("", LINK_TARGET.sub("]", IMAGE.sub("", markdown))).split())


def _lines(code: str) -> Counter[str]:
    return Counter(line for line in code.splitlines() if line.strip())


def _asked(question: Question) -> list[str]:
    texts = [question.ask]
    if isinstance(question, ChoiceQuestion):
        texts += [question.code, *(choice.text for choice in question.choices)]
    if isinstance(question, OrderQuestion):
        texts += question.steps
    return texts


def main() -> None:
    """Print what was counted, and the minutes that each lesson states and should state."""
    print("lesson  stated  counted  what was counted")
    total = 0
    for lesson in lessons():
        counts = count(lesson)
        total += counts.minutes
        print(f"{lesson.id:6} {lesson.minutes or 0:7} {counts.minutes:8}  {counts}")
    print(f"all {total / 60:.1f} h")


if __name__ == "__main__":
    main()
