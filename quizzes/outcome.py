"""Hands outcomes to the learner's progress."""

import io
from contextlib import redirect_stderr


def save(lesson: str, question: str, *, right: bool) -> str:
    """Record the outcome of a try.

    Parameters
    ----------
    lesson
        The lesson's number.
    question
        The question's id.
    right
        Whether it was answered right.

    Returns
    -------
    str
        Why it could not be saved, or nothing.
    """
    # Progress says on stderr that it cannot write. JupyterLab hides what a click prints there.
    said = io.StringIO()
    try:
        # Late, so that reading a quiz needs no database.
        from celerylab import progress

        with redirect_stderr(said):
            progress.record("quiz", lesson, right=right, part=question)
    # Whatever is wrong with a disk or a database, a click has no caller that could be told:
    # the widget shows the reason instead.
    except Exception as error:  # noqa: BLE001
        return str(error) or type(error).__name__
    return said.getvalue().strip()
