import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython
import nbformat
import pytest
from nbclient import NotebookClient

from quizzes import Quiz, quiz
from quizzes.library import load

VIEW = "application/vnd.jupyter.widget-view+json"


def in_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))


def test_mimebundle_when_there_is_no_kernel() -> None:
    assert list(quiz("1-2")._repr_mimebundle_()) == ["text/plain", "text/html"]


def test_mimebundle_when_in_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = quiz("1-2")
    still = asked._repr_mimebundle_()
    in_a_kernel(monkeypatch)
    live = asked._repr_mimebundle_(include=None, exclude=None)
    assert live.pop(VIEW)["model_id"] == asked.widget().model_id
    assert live == still


def test_mimebundle_when_ipywidgets_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_kernel(monkeypatch)
    for name in [name for name in sys.modules if name.startswith("quizzes.widget")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert list(quiz("1-2")._repr_mimebundle_()) == ["text/plain", "text/html"]


def test_widget_when_displayed_twice(write: Callable[..., Path]) -> None:
    asked = Quiz(load(write()))
    assert asked.widget() is asked.widget()


def test_repr_when_in_a_message() -> None:
    assert repr(quiz("1-2", seed=3)) == "quiz('1-2', seed=3)"


def test_notebook_when_nbval_compares_it(tmp_path: Path) -> None:
    # Any: nbformat has annotations for some of its functions only.
    make: Any = nbformat.v4
    notebook = make.new_notebook(
        cells=[make.new_code_cell('from quizzes import quiz\nquiz("1-2")', id="quiz")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    NotebookClient(notebook, timeout=60).execute()
    data = notebook.cells[0].outputs[0].data
    assert set(data) == {"text/plain", "text/html", VIEW}
    # As it is committed: a widget that belonged to another kernel would show as an error.
    del data[VIEW]
    path = tmp_path / "lesson.ipynb"
    path.write_text(make.writes_json(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "-q", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
