"""What ``celerylab next`` and ``celerylab progress --json`` say."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from celerylab import texts
from celerylab.course_map import CourseMap
from celerylab.progress import ProgressError


def lines(course_map: CourseMap) -> Iterator[str]:
    """Say what to do next, in which file it is, and at which address if a JupyterLab serves it.

    Raises
    ------
    ProgressError
        The progress could not be read, so nobody knows.
    """
    if course_map.problem:
        raise ProgressError(course_map.problem)
    step = course_map.next
    if step is None:
        yield texts.ALL_DONE if course_map.rows else texts.NO_LESSONS
        return
    yield texts.NEXT_LINE.format(step=step.text())
    yield texts.NEXT_FILE.format(path=step.row.lesson.notebook)
    address = served_at(step.row.lesson.notebook)
    yield texts.NEXT_ADDRESS.format(address=address) if address else texts.NEXT_NO_LAB


def as_json(course_map: CourseMap) -> str:
    """Return the progress as JSON: a list, an object a lesson.

    Raises
    ------
    ProgressError
        The progress could not be read.
    """
    if course_map.problem:
        raise ProgressError(course_map.problem)
    return json.dumps(
        [
            {
                "lesson": row.lesson.id,
                "title": row.lesson.title,
                "minutes": row.lesson.minutes,
                "begun_at": row.standing.begun_at or None,
                "last_at": row.standing.last_at or None,
                "spent_minutes": round(row.standing.seconds / 60, 1),
                "exercises": {"all": len(row.lesson.exercises), "open": row.open_exercises},
                "questions": {"all": len(row.lesson.questions), "open": row.open_questions},
                "done": row.begun and row.done,
            }
            for row in course_map.rows
        ],
        indent=1,
    )


def served_at(notebook: Path, runtime: Path | None = None) -> str | None:
    """Return the address of a notebook in a JupyterLab that runs on this machine, token included.

    Parameters
    ----------
    notebook
        Its file.
    runtime
        Where Jupyter's servers say where they listen; that of this user if not given.
    """
    for path in sorted((runtime or Path(jupyter_runtime_dir())).glob("jpserver-*.json")):
        try:
            server = json.loads(path.read_text(encoding="utf-8"))
            inside = notebook.relative_to(Path(server["root_dir"]).resolve()).as_posix()
            running = psutil.pid_exists(server["pid"])
        except (OSError, ValueError, LookupError, TypeError):
            continue  # of another folder, or just being written
        if running:
            token = "?" + urlencode({"token": server["token"]}) if server.get("token") else ""
            return f"{server['url']}lab/tree/{quote(inside)}{token}"
    return None
