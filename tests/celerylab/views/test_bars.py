"""The figure of a few measures, side by side."""

import pytest

from celerylab.views.bars import bars


@pytest.mark.parametrize(
    "measures",
    [
        {"memory (MiB)": {"prefork": 178.0, "solo": 57.2}, "ready after (s)": {"prefork": 0.5, "solo": 0.4}},
        {"memory (MiB)": {"prefork": 0.0}},
    ],
)
def test_picture_names_measures_and_things_but_no_value(measures: dict[str, dict[str, float]]) -> None:
    picture = bars(measures)
    assert repr(picture) == f"Bars: {' and '.join(measures)}, of {', '.join(measures['memory (MiB)'])}"
    assert picture.png.startswith(b"\x89PNG")
