import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from quizzes import Quiz, quiz
from quizzes.library import load

Write = Callable[..., Path]


class Reader(HTMLParser):
    """Checks that tags nest, and keeps the text outside and inside <details>."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.shown = ""
        self.folded = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"p", "ol", "ul", "li", "strong", "code", "pre", "details", "summary"}, (tag, attrs)
        assert not (tag in {"p", "ul", "ol", "pre", "details"} and "p" in self.open), (
            "a <p> would be cut short"
        )
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "details" in self.open and "summary" not in self.open:
            self.folded += data
        else:
            self.shown += data


@pytest.fixture
def shown(write: Write) -> Quiz:
    return Quiz(load(write()))


def read(asked: Quiz) -> Reader:
    reader = Reader()
    reader.feed(asked._repr_mimebundle_()["text/html"])
    reader.close()
    assert reader.open == []
    return reader


def test_html_when_read_without_unfolding(shown: Quiz) -> None:
    page = read(shown)
    for asked in (
        "Which is first?",
        "if a < b: pass",
        "The <b> one",
        "Take the leaves out.",
        "in seconds",
        "1 + 2",
    ):
        assert asked in page.shown
    for answer in ("It comes first.", "Five is odd.", "hot water", "It was measured.", "0.3"):
        assert answer not in page.shown


def test_html_when_unfolded(shown: Quiz) -> None:
    page = read(shown)
    for question in shown.text.questions:
        if hasattr(question, "choices"):
            assert all(choice.why in page.folded for choice in question.choices)
    for answer in ("hot water", "in your mouth", "The water is cold.", "It was measured.", "milliseconds"):
        assert answer in page.folded
    assert "0.3 seconds, give or take 0.1" in page.folded
    order = [page.folded.index(step) for step in ("Boil the", "Pour it", "Take the", "Drink.")]
    assert order == sorted(order), "the steps stand in the right order"


def test_html_when_the_letter_of_the_answer_is_looked_up(shown: Quiz) -> None:
    html = shown._repr_mimebundle_()["text/html"]
    first = html[: html.index("</details>")]
    choices = re.findall(r"<li><p>(.*?)</p></li>", first)
    right = re.search(r"<strong>([A-Z])\. Right\.</strong></p><p>It comes first\.", first)
    assert right
    assert choices["ABC".index(right[1])] == "The <code>&lt;b&gt;</code> one"


def test_html_when_text_holds_markup(shown: Quiz) -> None:
    html = shown._repr_mimebundle_()["text/html"]
    assert "Say &lt;hello&gt; &amp; <code>wave</code>" in html
    assert "<hello>" not in html


def test_plain_when_printed(shown: Quiz) -> None:
    text = str(shown)
    assert text == shown._repr_mimebundle_()["text/plain"]
    for asked in (
        "Quiz 7-1: Say <hello> & `wave`",
        "1. Which is `first`?",
        "       for word in",
        "   - Drink.",
    ):
        assert asked in text
    assert re.search(r"^   [ABC]\. True$", text, re.MULTILINE)
    assert re.search(r"^   [AB]\. one\n      two\n      3$", text, re.MULTILINE)
    assert "It comes first." not in text
    assert text.endswith("quizzes/bank/phase7/7_1.yaml.")


def test_static_forms_when_made_by_other_processes() -> None:
    code = "from quizzes import quiz; print(quiz('1-2')._repr_mimebundle_())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, timeout=60, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1


def test_static_forms_when_the_seed_changes() -> None:
    first, second = (quiz("1-2", seed=seed)._repr_mimebundle_() for seed in (0, 1))
    assert first["text/plain"] != second["text/plain"]
    assert first["text/html"] != second["text/html"]
    assert first["text/html"] == quiz("1-2")._repr_mimebundle_()["text/html"]
