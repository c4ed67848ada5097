"""A learner's module that is checked again."""

import warnings
from pathlib import Path

import pytest

from exercises.fresh import fresh

MODULE = """
from celery import Celery

app = Celery("shop", broker="memory://", set_as_current=False)


@app.task(name="shop.price")
def price():
    return {price}
"""


def test_runs_as_it_is_now_and_its_tasks_are_not_those_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for price in (3, 4):
            Path("shop_fresh.py").write_text(MODULE.format(price=price))
            module = fresh("shop_fresh")
            module.app.finalize()
            found.append((module.price(), module.app.tasks["shop.price"]()))
    assert found == [(3, 3), (4, 4)]
