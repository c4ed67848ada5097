"""The figure of who waits for what."""

from celerylab.views.runs import Run
from celerylab.views.waits import waits

PNG = b"\x89PNG"


class Seen(list[Run]):
    began = 100.0


def test_picture_names_the_users() -> None:
    run = Run("a", task="m.mail", worker="w@lab", process=7, started=100.5, finished=101.5)
    picture = waits(Seen([run]), {"called": 3.0, "sent": 0.1})
    assert repr(picture).startswith("Who waits for what. Users: called, sent;")
    assert picture.png.startswith(PNG)


def test_runs_without_an_end_are_left_out() -> None:
    assert waits(Seen([Run("a", task="m.mail", worker="w@lab")]), {"sent": 0.1}).png.startswith(PNG)
