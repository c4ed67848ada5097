"""An exercise's cells in its lesson, found by their tag.

Every code cell of exercise 1-2a carries the tag ``exercise:1-2a``: the one that shows the
exercise, the starter cells, and the one that checks the answer, in this order. A solution
or a wrong answer takes the place of the starter cells.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from celerylab import course
from celerylab.progress import lesson_of
from exercises import texts
from exercises.errors import BadExercise

OPENING = 'exercise("{id}")'
CHECKING = ".check("


@dataclass(frozen=True)
class Starter:
    """The cells that a lesson has for one exercise.

    Attributes
    ----------
    notebook
        The lesson.
    opening
        The source of the cell that shows the exercise.
    cells
        The sources of the starter cells.
    checking
        The source of the cell that checks the answer.
    """

    notebook: Path
    opening: str
    cells: tuple[str, ...]
    checking: str

    def program(self, answer: Sequence[str] | None = None) -> list[str]:
        """List the cells to run, with an answer in the place of the starter if there is one."""
        return [self.opening, *(self.cells if answer is None else answer), self.checking]


def starter(exercise_id: str, root: Path = course.ROOT) -> Starter:
    """Read an exercise's cells from the notebook of its lesson.

    Raises
    ------
    UnknownLesson
        There is no notebook of that lesson.
    BadExercise
        Its tagged cells are not as they must be.
    """
    return read_starter(exercise_id, course.lesson(lesson_of(exercise_id), root).notebook)


def read_starter(exercise_id: str, notebook: Path) -> Starter:
    """Read an exercise's cells from a certain notebook; see `starter`."""
    tag = f"exercise:{exercise_id}"
    tagged = [
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code" and tag in cell["metadata"].get("tags", [])
    ]
    if not tagged:
        raise BadExercise(texts.NO_TAGGED_CELLS.format(notebook=notebook.name, tag=tag))
    opening, *between, checking = [*tagged, ""] if len(tagged) == 1 else tagged
    wanted = OPENING.format(id=exercise_id)
    misplaced = any(wanted in cell or CHECKING in cell for cell in between)
    if wanted not in opening or CHECKING not in checking or not between or misplaced:
        raise BadExercise(texts.BAD_TAGGED_CELLS.format(notebook=notebook.name, tag=tag, opening=wanted))
    return Starter(notebook, opening, tuple(between), checking)
