"""Beat: ready when it says so, one of each name, gone with the lab."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from celerylab import Lab
from celerylab.errors import NoSuchModule, ProcessFailed
from celerylab.stack.waiting import wait_for

MODULE = """
import os
from celery import Celery
app = Celery("ticking", broker=os.environ["CELERYLAB_BROKER_URL"])
app.conf.beat_schedule = {"tick": {"task": "ticking.tick", "schedule": 0.2}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, before = tmp_path_factory.mktemp("module"), Path.cwd()
    (folder / "ticking.py").write_text(MODULE)
    (folder / "broken.py").write_text("1 / 0\n")
    os.chdir(folder)
    made = Lab()
    made.start()
    yield made
    made.stop()
    os.chdir(before)


def sent(lab: Lab) -> list[bytes]:
    return lab.redis.lrange("celery", 0, -1)


def test_sends_until_it_is_stopped_and_goes_on_after_a_restart(lab: Lab) -> None:
    with lab.beat("ticking") as beat:
        wait_for(3, "messages", lambda: sent(lab), 10)
        assert "Sending due task tick" in repr(beat.log())
    assert repr(beat) == "beat_ticking@lab: Beat, stopped"
    before = len(sent(lab))
    beat.restart()
    wait_for(before + 2, "messages", lambda: sent(lab), 10)
    beat.stop()


def test_a_second_of_the_same_name_takes_the_place_of_the_first(lab: Lab) -> None:
    first = lab.beat("ticking")
    second = lab.beat("ticking")
    other = lab.beat("ticking", name="spare")
    assert (first.alive, second.alive, other.alive) == (False, True, True)
    second.stop()
    other.stop()


def test_says_what_is_wrong_with_the_module(lab: Lab) -> None:
    with pytest.raises(NoSuchModule, match=r"no module 'missing'"):
        lab.beat("missing")
    with pytest.raises(ProcessFailed, match="ZeroDivisionError"):
        lab.beat("broken")


def test_ends_with_its_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ticking.py").write_text(MODULE)
    made = Lab()
    made.start(private=True)
    beat = made.beat("ticking")
    made.stop()
    assert not beat.alive
