"""Pictures imported one by one, by the bundled worker and its job."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from celerylab import Lab
from celerylab.stack import control
from celerylab.stack.broker import Broker
from labtasks.records import start_job
from labtasks.records.reading import jobs_of, record
from tests.labtasks.recording import database_at
from tests.processes import within


@pytest.fixture(scope="module")
def broker(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with a bundled worker that keeps records."""
    folder = tmp_path_factory.mktemp("media")
    apart = lab.broker()
    with database_at(f"sqlite:///{folder / 'media.sqlite3'}"):
        env = {"CELERYLAB_RECORDS": "true"}
        worker = lab.worker("labtasks.app:app", name="media", broker=apart, queues=["labtasks"], env=env)
        yield apart
        worker.kill()


def test_pictures_are_imported_and_the_job_knows(lab: Lab, broker: Broker, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    Image.new("RGB", (800, 600), "teal").save(picture)
    hook = lab.webhook(answer={"no": "picture"})
    client = control.client(broker.url)
    start_job("holiday", "picker import", 2)
    thumbs = client.send_task(
        "labtasks.media.thumbs_generate_task", (str(picture), ["80x60"]), queue="labtasks",
        headers={"job": "holiday"},
    )  # fmt: skip
    item = client.send_task(
        "labtasks.media.picker_import_item_task", (hook.url,), queue="labtasks", headers={"job": "holiday"}
    )
    assert thumbs.get(timeout=20) == [str(tmp_path / "cat_80x60.png")]
    with Image.open(tmp_path / "cat_80x60.png") as made:
        assert made.size == (80, 60)
    item.get(timeout=20, propagate=False)
    assert within(
        10, lambda: [(one.status, one.succeeded, one.failed) for one in jobs_of()] == [("partial", 1, 1)]
    )
    assert (record(item.id).error or "").startswith("NotAPicture: ")
    # the process that ran it writes its result, another one the state
    assert within(10, lambda: record(thumbs.id).get_result() == [str(tmp_path / "cat_80x60.png")])


def test_size_that_is_none_writes_nothing(lab: Lab, tmp_path: Path) -> None:
    from labtasks.media import dummy_long_task, thumbs_generate_task

    picture = tmp_path / "cat.png"
    Image.new("RGB", (80, 60)).save(picture)
    with pytest.raises(ValueError, match="a size looks like"):
        thumbs_generate_task(str(picture), ["10x10", "huge"])
    assert list(tmp_path.iterdir()) == [picture]
    assert dummy_long_task(0.01)["seconds"] >= 0.01
    with pytest.raises(RuntimeError, match="was to fail"):
        dummy_long_task(0, fail=True)


def test_beat_and_worker_have_the_watchdog_where_records_are_kept(lab: Lab, broker: Broker) -> None:
    client = control.client(broker.url)
    for name, expected in (
        ("picker_import.watchdog", {"lost": [], "sent_again": []}),
        ("session_recovery.cleanup_stale_sessions", {"closed": []}),
    ):
        found = client.send_task(name, queue="labtasks").get(timeout=20)
        assert expected.items() <= found.items()
