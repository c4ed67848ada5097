import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import quizzes
from quizzes import NoSuchQuiz, quiz
from quizzes.library import files, load
from quizzes.model import ChoiceQuestion, NumberQuestion, OrderQuestion
from quizzes.schema import SCHEMA

Write = Callable[..., Path]


def test_load_when_the_file_is_good(write: Write) -> None:
    read = load(write())
    assert (read.lesson, read.title, read.file) == ("7-1", "Say <hello> & `wave`", "phase7/7_1.yaml")
    one, several, predict, order, number = read.questions
    assert isinstance(one, ChoiceQuestion)
    assert [(choice.text, choice.right) for choice in one.choices] == [
        ("The `<b>` one", True),
        ("True", False),
        ("The third & last", False),
    ]
    assert several.kind == "several"
    assert isinstance(predict, ChoiceQuestion)
    assert predict.choices[0].text == "one\ntwo\n3"
    assert not predict.needs_lab
    assert isinstance(order, OrderQuestion)
    assert [(swap.puts, swap.before) for swap in order.mistakes] == [(3, 2), (1, 0)]
    assert isinstance(number, NumberQuestion)
    assert (number.answer, number.unit, number.tolerance) == (0.3, "seconds", 0.1)


def test_load_when_a_question_needs_the_lab(write: Write, sample: str) -> None:
    read = load(write(sample.replace("    code: |", "    needs: lab\n    code: |")))
    assert [q.needs_lab for q in read.questions if isinstance(q, ChoiceQuestion)] == [False, False, True]


def test_load_when_no_tolerance_is_given(write: Write, sample: str) -> None:
    number = load(write(sample.replace("    tolerance: 0.1\n", ""))).questions[-1]
    assert isinstance(number, NumberQuestion)
    assert number.tolerance == 0


@pytest.mark.parametrize("lesson", ["9-9", "foo", "1_2", "", "../phase1/1_2"])
def test_quiz_when_there_is_none(lesson: str) -> None:
    with pytest.raises(NoSuchQuiz) as caught:
        quiz(lesson)
    assert repr(lesson) in str(caught.value)
    assert str(caught.value).endswith(", ".join(files()))
    assert "1-2" in caught.value.known


def test_quiz_when_the_bank_is_empty(tmp_path: Path) -> None:
    with pytest.raises(NoSuchQuiz, match="none yet"):
        quiz("1-2", bank=tmp_path)


def test_files_when_lessons_have_two_digits(write: Write) -> None:
    for name in ("phase1/1_10.yaml", "phase1/1_2.yaml", "phase10/10_1.yaml", "phase2/2_1.yaml"):
        path = write(name=name)
    assert list(files(path.parents[1])) == ["1-2", "1-10", "2-1", "10-1"]


def test_files_when_one_has_an_odd_name(write: Write) -> None:
    path = write(name="phase1/notes.yaml")
    with pytest.raises(quizzes.BadQuiz, match="notes"):
        quiz("notes", bank=path.parents[1])


def test_exports_when_listed() -> None:
    public = {name for name, value in vars(quizzes).items() if not name.startswith("_") and callable(value)}
    assert quizzes.__all__ == sorted(public)


def test_schema_when_read_by_an_author() -> None:
    undescribed = [
        name
        for name, part in _parts(json.loads(SCHEMA.read_text()))
        if not {"description", "$ref"} & part.keys()
    ]
    assert undescribed == []


def test_import_when_nothing_is_displayed() -> None:
    code = (
        "import sys; from quizzes import quiz; print(quiz('1-2')._repr_mimebundle_().keys());"
        "heavy = {'ipywidgets', 'lark', 'arrow', 'rfc3987_syntax', 'isoduration'};"
        "sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "dict_keys(['text/plain', 'text/html'])\n"


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in schema["$defs"].items():
        if name.startswith("is-"):
            continue
        yield name, part
        for field, inner in part.get("properties", {}).items():
            if field != "kind" or inner is not True:
                yield f"{name}.{field}", inner
