"""The map of the course: its lessons, the learner's progress on them, and what comes next."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from celerylab import course, texts
from celerylab.course import Lesson
from celerylab.headings import above, fragment
from celerylab.progress import ProgressError, Standing, Tried, standings


@dataclass(frozen=True)
class Row:
    """One lesson and how far the learner got in it."""

    lesson: Lesson
    standing: Standing

    @property
    def open_exercises(self) -> tuple[str, ...]:
        """The exercises that were never right."""
        return _still_open(self.lesson.exercises, self.standing.exercises)

    @property
    def open_questions(self) -> tuple[str, ...]:
        """The quiz's questions that were never right."""
        return _still_open(self.lesson.questions, self.standing.questions)

    @property
    def tried(self) -> bool:
        """Whether an exercise or a question was tried."""
        return bool(self.standing.exercises or self.standing.questions)

    @property
    def begun(self) -> bool:
        """Whether the learner has been at work on it."""
        return self.tried or bool(self.standing.begun_at)

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
            _minutes(self.lesson.minutes or 0),
            _minutes(round(self.standing.seconds / 60)),
            _share(self.lesson.exercises, self.open_exercises),
            _share(self.lesson.questions, self.open_questions),
            state if self.begun else "",
        )


@dataclass(frozen=True)
class Step:
    """The next thing to do.

    Attributes
    ----------
    row
        The lesson in which it is to be done.
    what
        "exercise 1-2a", or "quiz"; empty if it is to go through the lesson.
    section
        The heading in the lesson under which it stands, or "".
    """

    row: Row
    what: str = ""
    section: str = ""

    def link(self, folder: Path) -> str:
        """Return the link that opens there, from a folder."""
        target = self.row.lesson.notebook.relative_to(folder).as_posix()
        return f"{target}#{fragment(self.section)}" if self.section else target

    def text(self, what: str = "", lesson: str = "") -> str:
        """Say it in a sentence.

        Parameters
        ----------
        what, lesson
            How to name these, if not as they are: as links, say.
        """
        lesson = lesson or f"{self.row.lesson.id} {self.row.lesson.title}"
        if not self.row.begun:
            time = _minutes(self.row.lesson.minutes or 0)
            return (texts.NEXT_TIMED if time else texts.NEXT).format(lesson=lesson, time=time)
        rest = [texts.EXERCISE.format(id=each) for each in self.row.open_exercises]
        if self.row.open_questions:
            rest.append(texts.OPEN_QUESTIONS.format(count=len(self.row.open_questions)))
        if not self.what:
            return texts.NEXT_GO_ON.format(lesson=lesson, rest=", ".join(rest))
        named = {"what": what or self.what, "lesson": lesson, "section": self.section}
        said = (texts.NEXT_UNDER if self.section else texts.NEXT_IN).format(**named)
        return said + (texts.NEXT_THEN.format(rest=", ".join(rest[1:])) if rest[1:] else "")


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
    def next(self) -> Step | None:
        """What comes next where the learner was last, or None if all is done."""
        times = [row.standing.last_at for row in self.rows]
        at = times.index(max(times)) if any(times) else 0
        row = next((row for row in self.rows[at:] + self.rows[:at] if not row.done), None)
        if row is None:
            return None
        if not row.tried:
            return Step(row)
        if row.open_exercises:
            exercise = row.open_exercises[0]
            heading = above(row.lesson.notebook, f'exercise("{exercise}")')
            return Step(row, texts.EXERCISE.format(id=exercise), heading)
        return Step(row, texts.QUIZ, above(row.lesson.notebook, f'quiz("{row.lesson.id}")'))

    def __repr__(self) -> str:
        table = [texts.MAP_COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]

        def line(cells: Collection[str]) -> str:
            return "  " + "  ".join(map(str.ljust, cells, widths)).rstrip()

        lines = [line(texts.MAP_COLUMNS)]
        for phase, rows in self._phases():
            lines += ["", phase]
            for row in rows:
                lines.append(line(row.cells()))
                if row.lesson.teaches:
                    lines.append(" " * (4 + widths[0]) + row.lesson.teaches)
        return "\n".join([*lines, "", self._closing(markdown=False)])

    def _repr_markdown_(self) -> str:
        lines = []
        for phase, rows in self._phases():
            lines += [f"### {phase}", "", _markdown(texts.MAP_COLUMNS), "|---" * len(texts.MAP_COLUMNS) + "|"]
            for row in rows:
                number, _, *rest = row.cells()
                link = f"[{row.lesson.title}]({self._path(row)})"
                title = f"**{link}**<br>{row.lesson.teaches}" if row.lesson.teaches else f"**{link}**"
                # "40 min" and "0 of 7" stay on one line
                lines.append(_markdown([number, title, *(cell.replace(" ", "&nbsp;") for cell in rest)]))
            lines.append("")
        return "\n".join([*lines, self._closing(markdown=True)])

    def _phases(self) -> Iterator[tuple[str, list[Row]]]:
        for number, grouped in groupby(self.rows, key=lambda row: row.lesson.phase):
            rows = list(grouped)
            named = texts.PHASE.format(number=number, title=texts.PHASES.get(number, ""))
            time = _hours(sum(row.lesson.minutes or 0 for row in rows))
            yield (texts.PHASE_TIMED.format(phase=named, time=time) if time else named), rows

    def _path(self, row: Row) -> str:
        return row.lesson.notebook.relative_to(self.folder).as_posix()

    def _closing(self, *, markdown: bool) -> str:
        if self.problem:
            return self.problem
        step = self.next
        if step is None:
            return texts.ALL_DONE if self.rows else texts.NO_LESSONS
        if not markdown:
            return texts.NEXT_LINE.format(step=step.text())
        lesson = f"[{step.row.lesson.id} {step.row.lesson.title}]({self._path(step.row)})"
        what = f"[{step.what}]({step.link(self.folder)})" if step.what else ""
        return texts.NEXT_LINE_MARKDOWN.format(step=step.text(what, lesson))


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
    rows = (Row(lesson, known.get(lesson.id, Standing(lesson.id))) for lesson in course.lessons(root))
    return CourseMap(tuple(rows), root / "notebooks", problem)


def _minutes(minutes: int) -> str:
    return texts.MINUTES.format(minutes=minutes) if minutes else ""


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    said = texts.HOURS.format(hours=hours) if hours else ""
    return f"{said} {_minutes(rest)}".strip()


def _still_open(items: Collection[str], tried: Mapping[str, Tried]) -> tuple[str, ...]:
    return tuple(item for item in items if item not in tried or not tried[item].right)


def _share(items: Collection[str], still_open: Collection[str]) -> str:
    return texts.SHARE.format(right=len(items) - len(still_open), all=len(items)) if items else ""


def _markdown(cells: Collection[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
