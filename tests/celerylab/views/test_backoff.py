"""The figure of delays before retries."""

import pytest

from celerylab.errors import LabError
from celerylab.views.backoff import backoff


def test_picture_names_the_longest_delays_and_the_tasks_but_no_observed_delay() -> None:
    picture = backoff([0.1, 0.2, 1.0], [[3.0, 3.05, 3.2, 3.9], [3.0, 3.1], [3.0]])
    assert repr(picture) == "Backoff: longest delays 0.1, 0.2, 1 s; delays observed of 3 tasks"
    assert picture.png.startswith(b"\x89PNG")


def test_more_attempts_than_delays_are_refused_with_both_numbers() -> None:
    with pytest.raises(LabError, match="tried 3 times; longest names the delays before 1 "):
        backoff([1.0], [[0.0, 1.0, 2.0]])
