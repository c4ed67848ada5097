"""The figure of what more workers bring."""

import pytest

from celerylab.views.scaling import scaling


@pytest.mark.parametrize(
    "rates",
    [
        {"waits": {1: 9.0, 2: 18.5, 4: 30.0}, "computes": {4: 21.0, 1: 11.0}},  # in any order, not all counts
        {"waits": {1: 9.0, 4: 2.0}},  # slower with more
    ],
)
def test_picture_names_what_was_done_but_no_value(rates: dict[str, dict[int, float]]) -> None:
    picture = scaling(rates)
    assert repr(picture) == f"Throughput of 1 to 4 workers beside the ideal: {' and '.join(rates)}"
    assert picture.png.startswith(b"\x89PNG")
