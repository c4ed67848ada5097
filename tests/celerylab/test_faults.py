"""The report of a fault test: what it says of faults that the lab did not bring about."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from celerylab import Lab
from celerylab.errors import LabError
from celerylab.faults import evidence, pictures
from celerylab.faults.evidence import BULK, SIZES, URGENT, Evidence, Letter, Message, Photo
from celerylab.faults.judging import judge
from celerylab.faults.report import Report
from exercises.definition import load

NAME = "photos_4_6c"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab: its broker, database and API serve all tests of the file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("faults"))
        source = load("4-6c").solution.partition("\n")[2]
        Path(f"{NAME}.py").write_text(source)
        Path("empty_4_6.py").write_text(source.replace("photos.receive", "photos.other"))
        Path("double_4_6.py").write_text(dict(load("4-6c").wrong)["double"].partition("\n")[2])
        made = Lab()
        made.start()
        yield made
        made.stop()


def verdicts(report: Report) -> dict[str, bool | None]:
    return {line.key: line.ok for line in report.lines}


# -- by hand ----------------------------------------------------------------------------


def test_kills_and_a_restart_by_hand_lose_nothing_and_are_counted(lab: Lab) -> None:
    with lab.fault_test(NAME) as test:
        os.killpg(test.workers[URGENT].pid, signal.SIGKILL)
        test.broker.kill()
        test.until(lambda: test.broker.alive and test.workers[URGENT].alive, 30)
        test.upload(2)
        test.upload(1, urgent=True)
        test.settle()
        report = test.report()
    assert report.failed == []
    assert len(report.faults) == 2, report
    assert verdicts(report)["lost"] is True


def test_what_is_taken_from_queue_album_and_folder_stands_in_the_report(lab: Lab) -> None:
    with lab.fault_test(NAME) as test:
        kept, broken, twice = test.upload(3)
        test.settle()
        # a worker that is dead takes nothing: its message can be stolen
        test.workers[URGENT].kill()
        test.rig.tend = lambda: None  # type: ignore[method-assign]
        stolen = test.upload(1, urgent=True)[0]
        assert test.broker.redis().lpop(URGENT)
        del test.rig.tend  # type: ignore[method-assign]
        path = test.folder / broken
        path.with_name(f"{path.stem}_{SIZES[0]}.jpg").write_bytes(pictures.cut_short(1))
        with psycopg.connect(test.database_url) as album:
            album.execute("INSERT INTO album (photo, renditions) VALUES (%s, 2)", [twice])
        test.settle()
        report = test.report()
    assert report.failed == ["lost", "double"]
    said = " ".join(report["lost"].seen)
    assert stolen in said
    assert broken in said
    assert kept not in said
    assert twice in report["double"].seen[0]


def test_a_module_without_the_task_is_refused_by_name(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"empty_4_6 has no task named 'photos.receive'"):
        lab.fault_test("empty_4_6").run()


def test_one_that_does_not_stop_brings_about_every_fault_and_judges_every_line(lab: Lab) -> None:
    report = lab.fault_test("double_4_6", stop=False).run()
    assert report.failed == ["double"], report
    assert None not in verdicts(report).values(), report
    assert len(report.faults) == 5, report


# -- lines, from evidence made by hand ----------------------------------------------------


def taken(number: int, **more: Any) -> Photo:
    name = f"photo-{number:02}.jpg"
    return Photo(
        **{"name": name, "urgent": False, "good": True, "status": 202, "task_id": f"id-{number}"} | more
    )


def seen(*photos: Photo, **more: Any) -> dict[str, bool | None]:
    good = [photo.name for photo in photos if photo.good]
    facts = {
        "stored": frozenset(photo.name for photo in photos),
        "album": tuple(good),
        "renditions": dict.fromkeys(good, SIZES),
        "ended": True,
    }
    return {line.key: line.ok for line in judge(Evidence(photos=photos, **facts | more))}


def test_nothing_is_claimed_of_what_was_not_looked_at() -> None:
    assert set(seen().values()) <= {None}
    assert seen(taken(1))["lost"] is True
    assert seen(taken(1), ended=False)["lost"] is None


@pytest.mark.parametrize(
    ("line", "photos", "facts"),
    [
        ("in", [taken(1, status=503)], {}),
        ("in", [taken(1)], {"stored": frozenset()}),
        ("lost", [taken(1)], {"album": ()}),
        ("lost", [taken(1)], {"renditions": {"photo-01.jpg": SIZES[:1]}}),
        ("double", [taken(1)], {"album": ("photo-01.jpg",) * 2, "ended": False}),
        ("waiting", [taken(1)], {"looks": 1, "parents": ("photos.receive",)}),
        ("hidden", [taken(1, good=False)], {"album": ("photo-01.jpg",)}),
        ("hidden", [taken(1, good=False)], {"states": {"id-1": "SUCCESS"}}),
        (
            "tries",
            [taken(1, good=False)],
            {"messages": (Message("id-1", BULK, None, 5, '[["photo-01.jpg"]]'),), "ended": False},
        ),
        (
            "tries",
            [taken(1, good=False)],
            {"letters": (Letter("id-1", "photo-01.jpg", 5, "ValueError", replay=False),)},
        ),
        ("letters", [taken(1, good=False)], {"states": {"id-1": "FAILURE"}}),
        ("letters", [taken(1)], {"letters": (Letter("id-1", "photo-01.jpg", 1, "lost", replay=False),)}),
    ],
)
def test_each_fault_fails_on_its_own_line(line: str, photos: list[Photo], facts: dict[str, Any]) -> None:
    assert [key for key, ok in seen(*photos, **facts).items() if ok is False] == [line]


def test_urgent_photos_are_compared_with_the_crowd_ahead_of_them() -> None:
    crowd = [taken(number) for number in range(1, 9)]
    names = tuple(photo.name for photo in crowd)
    late = taken(9, urgent=True, behind=names)

    def verdict(place: int, *, ahead: int = 8) -> bool | None:
        photo = taken(9, urgent=True, behind=names[:ahead])
        return seen(*crowd, photo, album=(*names[:place], photo.name, *names[place:]))["urgent"]

    assert verdict(0) is True
    assert verdict(4) is True
    assert verdict(5) is False
    assert verdict(8, ahead=2) is None
    # one that never came is late as well
    assert seen(*crowd, late, album=names)["urgent"] is False


def test_letters_are_accounted_for_when_each_rang_once_and_was_replayed() -> None:
    bad = taken(1, good=False)
    letters = (Letter("id-1", bad.name, 1, "NotAPicture", replay=False),)
    replayed = {
        "mended": (bad.name,),
        "album": (bad.name,),
        "letters": letters,
        "states": {"id-1": "FAILURE"},
    }
    assert seen(bad, **replayed, alerts=Counter({"id-1": 1}))["letters"] is True
    assert seen(bad, **replayed, alerts=Counter({"id-1": 2}))["letters"] is False
    assert seen(bad, **replayed)["letters"] is False
    assert seen(bad, **replayed | {"album": ()}, alerts=Counter({"id-1": 1}))["letters"] is False


@pytest.mark.parametrize("make", pictures.BAD)
def test_no_bad_picture_can_be_read(tmp_path: Path, make: Any) -> None:
    (tmp_path / "x.jpg").write_bytes(make(1))
    (tmp_path / f"x_{SIZES[0]}.jpg").write_bytes(make(1))
    assert evidence.readable(tmp_path, "x.jpg") == ()
