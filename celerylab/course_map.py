"""The map of the course: its lessons, the learner's progress on them, and what comes next."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from celerylab import course, texts
from celerylab.course import Lesson
from celerylab.progress import ProgressError, Standing, Tried, standings


@dataclass(frozen=True)
class Row:
    """One lesson and how far the learner got in it."""

    lesson: Lesson
    open_exercises: tuple[str, ...]
    open_questions: tuple[str, ...]
    begun: bool

    @property
    def done(self) -> bool:
        """Whether every exercise and every question has been right once."""
        return not self.open_exercises and not self.open_questions

    def cells(self) -> tuple[str, ...]:
        """Say it in words, a cell a column of ``texts.MAP_COLUMNS``."""
        state = texts.DONE if self.done else texts.BEGUN
        return (
            self.lesson.id,
            self.lesson.title,
            texts.MINUTES.format(minutes=self.lesson.minutes) if self.lesson.minutes else "",
            _share(self.lesson.exercises, self.open_exercises),
            _share(self.lesson.questions, self.open_questions),
            state if self.begun else "",
        )


@dataclass(frozen=True, repr=False)
class CourseMap:
    """The course with the learner's progress; displays as Markdown, and as plain text.

    Attributes
    ----------
    rows
        A row a lesson, in the course's order.
    folder
        The notebooks' folder, which the links start from.
    problem
        Why the progress could not be read, if it could not.
    """

    rows: tuple[Row, ...]
    folder: Path
    problem: str = ""

    @property
    def next(self) -> Row | None:
        """The first lesson that is not done."""
        return next((row for row in self.rows if not row.done), None)

    def __repr__(self) -> str:
        table = [texts.MAP_COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]

        def line(cells: Collection[str]) -> str:
            return "  " + "  ".join(map(str.ljust, cells, widths)).rstrip()

        lines = [line(texts.MAP_COLUMNS)]
        for phase, rows in self._phases():
            lines += ["", phase, *(line(row.cells()) for row in rows)]
        return "\n".join([*lines, "", *self._closing(lambda row: f"{row.lesson.id} {row.lesson.title}")])

    def _repr_markdown_(self) -> str:
        lines = []
        for phase, rows in self._phases():
            lines += [f"### {phase}", "", _markdown(texts.MAP_COLUMNS), "|---" * len(texts.MAP_COLUMNS) + "|"]
            for row in rows:
                number, _, *rest = row.cells()
                lines.append(_markdown([number, self._link(row), *rest]))
            lines.append("")
        return "\n".join([*lines, *self._closing(self._link)])

    def _phases(self) -> Iterator[tuple[str, list[Row]]]:
        for number, rows in groupby(self.rows, key=lambda row: row.lesson.phase):
            yield texts.PHASE.format(number=number, title=texts.PHASES.get(number, "")), list(rows)

    def _link(self, row: Row) -> str:
        return f"[{row.lesson.title}]({row.lesson.notebook.relative_to(self.folder).as_posix()})"

    def _closing(self, name: Callable[[Row], str]) -> Iterator[str]:
        if self.problem:
            yield self.problem + "\n"
        row = self.next
        if row is None:
            yield texts.ALL_DONE if self.rows else texts.NO_LESSONS
        elif row.begun:
            rest = [texts.OPEN_EXERCISE.format(id=each) for each in row.open_exercises]
            rest += [texts.OPEN_QUESTIONS.format(count=len(row.open_questions))] if row.open_questions else []
            yield texts.NEXT_BEGUN.format(lesson=name(row), rest=", ".join(rest))
        else:
            yield texts.NEXT.format(lesson=name(row))


def course_map(root: Path = course.ROOT) -> CourseMap:
    """Return the course as a map with the learner's own progress and the next thing to do.

    Progress that cannot be read does not hide the map: it is said below it.
    """
    problem = ""
    known: Mapping[str, Standing] = {}
    try:
        known = standings()
    except ProgressError as error:
        problem = str(error)
    rows = (_row(lesson, known.get(lesson.id, Standing(lesson.id))) for lesson in course.lessons(root))
    return CourseMap(tuple(rows), root / "notebooks", problem)


def _row(lesson: Lesson, standing: Standing) -> Row:
    return Row(
        lesson,
        _still_open(lesson.exercises, standing.exercises),
        _still_open(lesson.questions, standing.questions),
        begun=bool(standing.exercises or standing.questions),
    )


def _still_open(items: Collection[str], tried: Mapping[str, Tried]) -> tuple[str, ...]:
    return tuple(item for item in items if item not in tried or not tried[item].right)


def _share(items: Collection[str], still_open: Collection[str]) -> str:
    return texts.SHARE.format(right=len(items) - len(still_open), all=len(items)) if items else ""


def _markdown(cells: Collection[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
