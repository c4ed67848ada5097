"""Headings, and the links that open at them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from celerylab.headings import above, fragment, headings

TEXT = """# Call `delay`

Some #words.

```sh
# no heading
```

## Read [the guide](guide.md), *now*
"""


def test_headings_come_without_markup_and_without_what_is_code() -> None:
    assert headings(TEXT) == ["Call delay", "Read the guide, now"]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Call `delay`", "Call-delay"),
        ("A pool that can't", "A-pool-that-can't"),
        ("Your turn: a part, in time", "Your-turn:-a-part,-in-time"),
    ],
)
def test_fragment_is_that_of_jupyterlab(heading: str, expected: str) -> None:
    assert fragment(heading) == expected


def test_above_is_the_last_heading_before_the_code(tmp_path: Path, notebook: Callable[..., Path]) -> None:
    path = notebook(
        tmp_path / "1_1_a.ipynb", "# Title\n\n## Send it", "Text.", "CODE:quiz('1-1')", "## After"
    )
    assert above(path, "quiz('1-1')") == "Send it"
    assert above(path, "quiz('1-2')") == ""


@pytest.mark.parametrize("content", ["", "[]", '{"cells": [{"source": 3, "cell_type": "code"}]}'])
def test_above_in_a_notebook_that_the_learner_broke_is_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "1_1_a.ipynb"
    path.write_text(content)
    assert above(path, "quiz") == ""
