"""The figure of what more processes bring."""

import pytest

from celerylab.views.speedup import speedup

TEXT = "Speed-up over a plain loop, on processes: 1, 2, 4; beside the ideal"


@pytest.mark.parametrize("cores", [1, 2, 64, None])
@pytest.mark.parametrize(
    "together",
    [
        {1: 1.02, 2: 0.55, 4: 0.54},
        {4: 0.1, 1: 9.0, 2: 0.2},  # in any order, slower than the loop, and faster than the ideal
    ],
)
def test_picture_names_the_processes_but_no_value(together: dict[int, float], cores: int | None) -> None:
    picture = speedup(1.0, together, cores=cores)
    assert repr(picture) == TEXT
    assert picture.png.startswith(b"\x89PNG")


def test_one_number_of_processes_is_enough() -> None:
    assert speedup(1.0, {2: 0.5}).png.startswith(b"\x89PNG")
