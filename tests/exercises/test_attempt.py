"""What a check asks about the learner's code."""

from pathlib import Path

import pytest

from celerylab.errors import NotStarted
from exercises import call, learners_code, unfinished
from exercises.errors import LearnerRaised

UNFINISHED = {
    "a line": "def add(x, y):\n    ...\n",
    "an argument": "@app.task(max_retries=...)\ndef add(x, y):\n    return x\n",
    "an assigned value": "queue = ...\n",
}
FINISHED = {
    "plain": "def add(x, y):\n    return x + y\n",
    "a type": "from typing import Callable\nf: Callable[..., int] = len\ng: tuple[int, ...] = ()\n",
    "an empty class": "class TooBig(Exception): ...\n",
    "in a text": 'def add(x, y):\n    """Add\n    ...\n    """\n    return "..."\n',
    "no Python": "def add(x, y:\n    ...\n",
}


@pytest.mark.parametrize("source", UNFINISHED.values(), ids=UNFINISHED.keys())
def test_unfinished_finds_the_placeholder(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tasks_1_2.py").write_text(source)
    assert unfinished("tasks_1_2")
    assert unfinished(tmp_path / "tasks_1_2.py")


@pytest.mark.parametrize("source", FINISHED.values(), ids=FINISHED.keys())
def test_unfinished_accepts_what_is_no_placeholder(source: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks_1_2.py"
    path.write_text(source)
    assert not unfinished(path)


def test_unfinished_when_the_module_was_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unfinished("tasks_1_2")


def test_unfinished_looks_into_a_function() -> None:
    def begun() -> None: ...
    def done() -> int:
        return 1

    assert unfinished(begun)
    assert not unfinished(done)
    assert not unfinished(len)


def test_call_passes_arguments_and_result() -> None:
    assert call(divmod, 7, 2) == (3, 1)


def test_call_marks_what_was_raised() -> None:
    with pytest.raises(LearnerRaised) as raised:
        call(divmod, 7, 0)
    assert isinstance(raised.value.error, ZeroDivisionError)


def test_learners_code_leaves_lab_errors_alone() -> None:
    with pytest.raises(NotStarted), learners_code():
        raise NotStarted("Run lab.start() first.")


def test_learners_code_leaves_an_interrupt_alone() -> None:
    with pytest.raises(KeyboardInterrupt), learners_code():
        raise KeyboardInterrupt
