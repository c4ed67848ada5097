from collections.abc import Callable
from pathlib import Path

import pytest

from quizzes import BadQuiz, QuizError
from quizzes.library import load

Write = Callable[..., Path]

# name: (what stands in the sample, what replaces it, line, problem, expected)
BROKEN = {
    "unknown field of the file": ("lesson: 7-1", "lesson: 7-1\nauthor: me", 2, '"author"', "lesson, title"),
    "missing field of the file": ("title: Say <hello> & `wave`\n", "", 1, '"title" is missing', "lesson"),
    "unknown field of a question": (
        "    ask: How do",
        "    colour: red\n    ask: How do",
        48,
        '"colour"',
        "steps",
    ),
    "misspelt field": ("    steps:\n", "    stepps:\n", 49, '"stepps"', "steps"),
    "unknown field of a choice": (
        "      - right: The `<b>` one\n",
        "      - right: The `<b>` one\n        points: 3\n",
        9,
        '"points"',
        "right or wrong",
    ),
    "unknown kind": ("kind: predict", "kind: guess", 30, "'guess'", "one, several, predict, order, number"),
    "missing kind": ("    kind: predict\n", "", 29, '"kind" is missing', "id, kind, ask"),
    "id with a space": ("id: pick-some", "id: pick some", 14, "'pick some'", "hyphens"),
    "same id twice": ("id: pick-some", "id: pick", 14, '"pick"', "its own"),
    "missing explanation": ("        why: Truth is no order.\n", "", 10, '"why" is missing', "choice"),
    "empty explanation": ("why: Truth is no order.", "why:", 11, "nothing", "explanation"),
    "missing explanation of steps": (
        "    why: The leaves give their taste to hot water.\n",
        "",
        46,
        '"why" is missing',
        "steps, why",
    ),
    "missing explanation of a mistake": (
        "        why: The water is cold.\n",
        "",
        59,
        '"why" is missing',
        "before",
    ),
    "missing explanation of a number": (
        "    why: It was measured.\n",
        "",
        62,
        '"why" is missing',
        "unit, why",
    ),
    "same choice twice": ("wrong: The third & last", "wrong: The `<b>` one", 12, "twice", "differ"),
    "same step twice": ("- Drink.", "- Boil the water.", 53, "twice", "differ"),
    "no right choice": (
        "right: The `<b>` one",
        "wrong: The `<b>` one",
        7,
        "no choice is right",
        "exactly one",
    ),
    "two right choices": ("wrong: True", "right: True", 7, "2 choices are right", "exactly one"),
    "no right output": (
        "- right: |\n          one",
        "- wrong: |\n          one",
        36,
        "no choice is right",
        "exactly one",
    ),
    "both right and wrong": (
        "- wrong: True",
        "- wrong: True\n        right: False",
        10,
        "both",
        "right or wrong",
    ),
    "neither right nor wrong": ("- wrong: True\n        why", "- why", 10, "neither", "right or wrong"),
    "one choice": (
        """\
      - wrong: True
        why: Truth is no order.
      - wrong: The third & last
        why: It comes third.
""",
        "",
        7,
        "a list of 1",
        "at least 2",
    ),
    "two steps": (
        "      - Take the leaves out.\n      - Drink.\n",
        "",
        49,
        "a list of 2",
        "at least 3 steps",
    ),
    "tolerance below 0": ("tolerance: 0.1", "tolerance: -0.1", 67, "-0.1", "0 or more"),
    "tolerance in words": ("tolerance: 0.1", "tolerance: a little", 67, "'a little'", "0 or more"),
    "answer in words": ("answer: 0.3", "answer: a third", 65, "'a third'", "a number"),
    "a step that is not there": ("puts: 4", "puts: 5", 56, "no step 5", "from 1 to 4"),
    "step 0": ("before: 3", "before: 0", 57, "0", "counted from 1"),
    "half a step": ("puts: 4", "puts: 3.5", 56, "3.5", "counted from 1"),
    "a mistake that is right": ("puts: 4", "puts: 3", 56, "step 3 before step 3", "later step"),
    "a wrong number that counts as right": (
        "answer: 300",
        "answer: 0.4",
        70,
        "0.4",
        "further than the tolerance",
    ),
    "unknown need": ("    code: |", "    needs: broker\n    code: |", 32, "'broker'", "lab"),
    "choice of two lines": (
        "wrong: True",
        "wrong: |\n          True\n          False",
        10,
        "True",
        "one line",
    ),
    "open fence": (
        "      if a < b: pass\n      ```\n",
        "      if a < b: pass\n",
        16,
        "never closed",
        "closing ```",
    ),
    "list for text": ("why: It was measured.", "why: [a, b]", 68, "a list of 2", "explanation"),
    "fields for text": ("why: It was measured.", "why: {a: b}", 68, "fields", "explanation"),
    "question that is text": ("  - id: pick\n", "  - What?\n  - id: pick\n", 4, "'What?'", "a question"),
    "same field twice": (
        "    ask: How do",
        "    kind: order\n    ask: How do",
        48,
        '"kind" stands here twice',
        "once",
    ),
    "same field of the file twice": (
        "lesson: 7-1",
        "lesson: 7-1\nlesson: 7-1",
        2,
        '"lesson" stands here twice',
        "once",
    ),
    "alias": (
        "why: It comes first.\n      - wrong: True\n        why: Truth is no order.",
        "why: &same It comes first.\n      - wrong: True\n        why: *same",
        11,
        "alias",
        "the text itself",
    ),
    "field name that is a list": ("lesson: 7-1", "? [a]\n: 7-1", 1, "not text", "a name"),
    "tab": ("    ask: How do", "\task: How do", 48, "YAML", "spaces"),
    "bare backtick": (
        "right: The `<b>` one",
        "right: `<b>`",
        8,
        "YAML",
        "quoted text; YAML takes no bare text that starts with `",
    ),
    "bare colon": ("why: It comes first.", "why: Note: it comes first.", 9, "YAML", "quoted text, or"),
    "bad indentation": ("  - id: sort", " - id: sort", 46, "YAML", "valid YAML"),
    "open bracket": ("why: It was measured.", "why: [a, b", 69, "YAML", "valid YAML"),
    "two documents": ("  - id: sort", "---\n  - id: sort", 46, "YAML", "valid YAML"),
    "another lesson": ("lesson: 7-1", "lesson: 7-2", 1, '"7-2"', '"7-1"'),
    "lesson in another form": ("lesson: 7-1", "lesson: seven", 1, "'seven'", "such as 1-2"),
}


@pytest.mark.parametrize(("old", "new", "line", "problem", "expected"), BROKEN.values(), ids=list(BROKEN))
def test_load_when_one_thing_is_broken(
    write: Write, sample: str, old: str, new: str, line: int, problem: str, expected: str
) -> None:
    assert old in sample
    path = write(sample.replace(old, new, 1))
    with pytest.raises(BadQuiz) as caught:
        load(path)
    refused = caught.value
    assert refused.line == line, refused
    assert problem in refused.problem
    assert expected in refused.expected
    assert str(refused).startswith(f"7_1.yaml, line {line}: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("# nothing but this\n", "the file is empty"),
        ("just words", "found 'just words'"),
        ("- a\n- b", "found a list of 2"),
        ("lesson: 7-1\ntitle: A\nquestions: []", "found a list of 0"),
        ("lesson: 7-1\ntitle: A\nquestions:", "found nothing"),
        ("lesson: \x07", "YAML cannot be read"),
    ],
)
def test_load_when_there_is_no_quiz_in_the_file(write: Write, text: str, problem: str) -> None:
    with pytest.raises(BadQuiz) as caught:
        load(write(text))
    assert problem in str(caught.value)


def test_load_when_the_file_is_not_utf8(write: Write) -> None:
    path = write()
    path.write_bytes(path.read_bytes() + b"# \xff\n")
    with pytest.raises(BadQuiz, match="not UTF-8"):
        load(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("phase7/7_2.yaml", '"7-2"'), ("phase7/7-1.yaml", '"7-1"'), ("phase8/7_1.yaml", "phase7")],
)
def test_load_when_the_file_is_misnamed(write: Write, name: str, expected: str) -> None:
    with pytest.raises(BadQuiz) as caught:
        load(write(name=name))
    assert caught.value.line == 1
    assert expected in caught.value.expected


def test_load_when_two_things_are_broken(write: Write, sample: str) -> None:
    path = write(sample.replace("unit: seconds", "unit:").replace("wrong: True", "wrong:"))
    with pytest.raises(BadQuiz) as caught:
        load(path)
    assert caught.value.line == 10, "the first in the file is named"


def test_refusal_when_a_notebook_shows_it(write: Write) -> None:
    with pytest.raises(QuizError) as caught:
        load(write(""))
    assert caught.value._render_traceback_() == [f"BadQuiz: {caught.value}"]
