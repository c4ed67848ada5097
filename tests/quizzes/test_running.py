from pathlib import Path
from types import SimpleNamespace

import pytest

import celerylab
from quizzes import child
from quizzes.errors import CannotRun
from quizzes.model import Choice, ChoiceQuestion
from quizzes.running import shown_by


def asking(code: str) -> ChoiceQuestion:
    return ChoiceQuestion("q", "predict", "?", (Choice("a", True, "."), Choice("b", False, ".")), code)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("print('a')\nprint('b')", "a\nb"),
        ("x = 2\nx * 3", "6"),
        ("print('said')\n'shown'", "said\n'shown'"),
        ("print('said')\nNone", "said"),
        ("x = 2", ""),
        ("print('before')\nprint({}['key'])\nprint('after')", "before\nKeyError: 'key'"),
        ("a b", "SyntaxError: invalid syntax"),
        ("print('é ü 日')", "é ü 日"),
        ("import sys\nprint('noise', file=sys.stderr)\n1", "1"),
        ("__name__", "'__main__'"),
        ("def f(n):\n    return n and f(n - 1)\nf(3)", "0"),
        ("from pathlib import Path\nPath('m.py').write_text('x = 5')\nfrom m import x\nx", "5"),
        ("from celery import Celery\napp = Celery('shop')\n@app.task\ndef f(): ...\nf.name", "'shop.f'"),
    ],
)
def test_shown_by_when_code_runs(code: str, shown: str) -> None:
    assert shown_by(asking(code)) == shown


def test_shown_by_when_code_does_not_end() -> None:
    with pytest.raises(CannotRun, match="longer than 1 s"):
        shown_by(asking("import threading\nthreading.Event().wait()"), timeout=1)


def test_shown_by_when_python_ends_early() -> None:
    with pytest.raises(CannotRun, match="gone"):
        shown_by(asking("raise SystemExit('gone')"))


def test_shown_by_when_the_code_needs_the_lab() -> None:
    code = "from labtasks.basics import add\nadd.delay(2, 3).get(timeout=30)"
    assert shown_by(ChoiceQuestion("q", "predict", "?", (), code, needs_lab=True)) == "5"


def test_child_when_the_lab_prints_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A stand-in that surely prints, whatever the lab's own card does outside a notebook.
    lab = SimpleNamespace(start=lambda: print("broker: here"))
    monkeypatch.setattr(celerylab, "lab", lab, raising=False)
    (tmp_path / "code.py").write_text("print('code')")
    child.main([str(tmp_path / "code.py"), "lab"])
    shown = capsys.readouterr()
    assert shown.out == "code\n"
    assert shown.err == "broker: here\n"
    child.main([str(tmp_path / "code.py")])
    assert capsys.readouterr().err == "", "the lab starts only where it is needed"


def test_shown_by_when_the_lab_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "celerylab").mkdir()
    (tmp_path / "celerylab" / "__init__.py").write_text("raise RuntimeError('no broker today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    question = ChoiceQuestion("q", "predict", "?", (), "1", needs_lab=True)
    with pytest.raises(CannotRun, match="no broker today"):
        shown_by(question)
