from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLE = """\
lesson: 7-1
title: Say <hello> & `wave`
questions:
  - id: pick
    kind: one
    ask: Which is `first`?
    choices:
      - right: The `<b>` one
        why: It comes first.
      - wrong: True
        why: Truth is no order.
      - wrong: The third & last
        why: It comes third.
  - id: pick-some
    kind: several
    ask: |
      Which are even?

      ```python
      if a < b: pass
      ```
    choices:
      - right: Two
        why: Two is even.
      - right: Four
        why: Four is even.
      - wrong: Five
        why: Five is odd.
  - id: guess
    kind: predict
    ask: What comes out?
    code: |
      for word in ("one", "two"):
          print(word)
      1 + 2
    choices:
      - right: |
          one
          two
          3
        why: The last expression is shown too.
      - wrong: |
          one
          two
        why: A notebook shows the last expression.
  - id: sort
    kind: order
    ask: How do you make tea?
    steps:
      - Boil the water.
      - Pour it on the leaves.
      - Take the leaves out.
      - Drink.
    why: The leaves give their taste to hot water.
    mistakes:
      - puts: 4
        before: 3
        why: There are leaves in your mouth.
      - puts: 2
        before: 1
        why: The water is cold.
  - id: count
    kind: number
    ask: How long does it take?
    answer: 0.3
    unit: seconds
    tolerance: 0.1
    why: It was measured.
    mistakes:
      - answer: 300
        why: Those are milliseconds.
"""


@pytest.fixture
def sample() -> str:
    return SAMPLE


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = SAMPLE, name: str = "phase7/7_1.yaml") -> Path:
        path = tmp_path / "bank" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
