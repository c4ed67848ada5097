"""A learner's exception, with the learner's own frames and no others."""

import sysconfig
import textwrap
import traceback
from collections.abc import Collection
from pathlib import Path

from celerylab.course import ROOT
from exercises import texts

MOST_FRAMES = 5
MOST_CHARACTERS = 1500
OTHERS = [
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    *(ROOT / package for package in ("celerylab", "exercises", "labtasks", "quizzes")),
]


def learners_frames(error: BaseException, but: Collection[Path] = ()) -> list[traceback.FrameSummary]:
    """List the frames of an exception that stand in the learner's cells and modules.

    Parameters
    ----------
    error
        What was raised.
    but
        Files that are not the learner's either: the exercise's own module.
    """
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_learners(frame.filename, but)]


def render(error: BaseException, but: Collection[Path] = ()) -> str:
    """Write the exception as an indented block: where in the learner's code, then what."""
    frames = learners_frames(error, but)
    lines = []
    if len(frames) > MOST_FRAMES:
        lines.append(texts.MORE_FRAMES.format(count=len(frames) - MOST_FRAMES))
    for frame in frames[-MOST_FRAMES:]:
        lines.append(texts.FRAME.format(file=_name(frame.filename), line=frame.lineno, function=frame.name))
        if frame.line:
            lines.append(f"    {frame.line}")
    what = traceback.TracebackException.from_exception(error)
    if isinstance(error, SyntaxError) and error.filename:
        what.filename = _name(error.filename)
    return textwrap.indent("\n".join([*lines, _cut("".join(what.format_exception_only()))]), "    ")


def _is_learners(filename: str, but: Collection[Path]) -> bool:
    if _is_cell(filename):
        return True
    path = Path(filename)
    if not path.is_absolute() or path in but:
        return False
    return not any(path.resolve().is_relative_to(folder) for folder in OTHERS)


def _is_cell(filename: str) -> bool:
    return filename.startswith("<ipython-input") or Path(filename).parent.name.startswith("ipykernel_")


def _name(filename: str) -> str:
    return texts.IN_A_CELL if _is_cell(filename) else Path(filename).name


def _cut(text: str) -> str:
    text = text.rstrip()
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"
