"""Runs the code of predict questions, to compare what it shows with what the bank says."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from quizzes import texts
from quizzes.errors import CannotRun
from quizzes.model import ChoiceQuestion

TIMEOUT = 60.0


def shown_by(question: ChoiceQuestion, timeout: float = TIMEOUT) -> str:
    """Run a predict question's code in a fresh Python.

    Parameters
    ----------
    question
        A question of the kind ``predict``.
    timeout
        How many seconds it may take.

    Returns
    -------
    str
        What a notebook would show: what the code prints, then the ``repr`` of its last
        expression unless that is None. An exception shows as the last line of its
        traceback. Space at the end of the whole is left out.

    Raises
    ------
    CannotRun
        If Python did not get to the end of the code, or the lab did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        shown = here / "shown.txt"
        (here / "question.py").write_text(question.code, encoding="utf-8")
        command = [sys.executable, "-m", "quizzes.child", "question.py", *["lab"] * question.needs_lab]
        # What the code writes goes to files: a worker that it leaves behind would hold a pipe open.
        with shown.open("wb") as out, (here / "errors.txt").open("wb") as errors:
            try:
                done = subprocess.run(
                    command,
                    cwd=here,
                    env={**os.environ, "PYTHONIOENCODING": "utf-8", "CELERYLAB_HOME": folder},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=errors,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                reason = texts.CODE_TIMEOUT.format(timeout=timeout)
                raise CannotRun(texts.CODE_FAILED.format(reason=reason)) from None
        if done.returncode:
            reason = (here / "errors.txt").read_text(encoding="utf-8", errors="replace").strip()
            raise CannotRun(texts.CODE_FAILED.format(reason=reason or done.returncode))
        return shown.read_text(encoding="utf-8").rstrip()
