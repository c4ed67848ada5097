"""What Beat sends: the schedule, and the tasks, run by a real worker."""

import inspect
import json
import logging
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from celerylab import Lab
from celerylab.stack import control
from celerylab.views.upcoming import runs
from labtasks import articles, datasets, users  # no task among this module's names: pytest would load it
from labtasks.app import app
from labtasks.database import ProcessingResult, engine
from labtasks.files import SPOOL
from labtasks.queues import HIGH_PRIORITY, QUEUES
from labtasks.schedules import entries
from labtasks.scratch import scratch_path
from labtasks.settings import settings
from tests.processes import within

BEGIN = datetime(2026, 11, 28, 12)  # a Saturday; the zone is the app's
DAY = 24 * 3600  # s


def send(lab: Lab, task: str, *args: Any, **kwargs: Any) -> Any:
    result = lab.client.send_task(f"labtasks.periodic.{task}", args, kwargs, queue="labtasks")
    return result.get(timeout=20)


@pytest.fixture
def worked(lab: Lab) -> Iterator[list[int]]:
    """One dataset and another, the first processed at the last moment of 2025-11-22 in Tokyo, the second
    at the first of 2025-11-23, and twice in between."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    made = [datasets.store_dataset([{"a": 1}, {"a": None}]), datasets.store_dataset([{"a": 1}])]
    midnight = datetime(2025, 11, 23, tzinfo=app.timezone).timestamp()
    for number, moment in ((0, midnight - 1), (0, midnight), (1, midnight + 9), (1, midnight + DAY)):
        datasets.process_large_dataset(made[number], {"validate": True})
        with Session(engine()) as session:
            found = session.scalars(select(ProcessingResult).order_by(ProcessingResult.id.desc())).first()
            found.result_data = {**found.result_data, "timestamp": moment}
            session.commit()
    yield made
    with Session(engine()) as session:
        session.query(ProcessingResult).delete()
        session.commit()


def test_every_entry_names_a_task_that_takes_its_arguments(lab: Lab) -> None:
    for name, entry in entries(60.0).items():
        module, _, function = entry["task"].rpartition(".")
        task = getattr(import_module(module), function)
        assert (module, task.name) == ("labtasks.periodic", entry["task"]), name
        inspect.signature(task.run).bind(*entry.get("args", ()), **entry.get("kwargs", {}))
    assert "labtasks.periodic" in app.conf.include


def test_next_runs_are_those_of_the_clock_in_tokyo(lab: Lab) -> None:
    start = BEGIN.replace(tzinfo=app.timezone)
    found = {
        name: [f"{at:%a %d %H:%M:%S}" for at in runs(entry["schedule"], start, start + timedelta(days=4))[:3]]
        for name, entry in entries(60.0).items()
    }
    assert app.conf.timezone == "Asia/Tokyo"
    assert found == {
        "every-minute": ["Sat 28 12:01:00", "Sat 28 12:02:00", "Sat 28 12:03:00"],
        "hourly": ["Sat 28 13:00:00", "Sat 28 14:00:00", "Sat 28 15:00:00"],
        "daily-morning": ["Sun 29 09:00:00", "Mon 30 09:00:00", "Tue 01 09:00:00"],
        "weekday-morning": ["Mon 30 09:00:00", "Tue 01 09:00:00", "Wed 02 09:00:00"],
        "monthly": ["Tue 01 00:00:00"],
        "with-args": ["Sat 28 12:00:30", "Sat 28 12:01:00", "Sat 28 12:01:30"],
        "daily-summary": ["Sun 29 02:00:00", "Mon 30 02:00:00", "Tue 01 02:00:00"],
        "refresh-cache": ["Sat 28 12:30:00", "Sat 28 13:00:00", "Sat 28 13:30:00"],
    }


def test_no_message_outlives_the_next_of_its_kind(lab: Lab) -> None:
    start = BEGIN.replace(tzinfo=app.timezone)
    for name, entry in entries(12.0).items():
        first, second = runs(entry["schedule"], start, start + timedelta(days=62))[:2]
        assert 0 < entry["options"]["expires"] <= (second - first).total_seconds(), name


def test_beat_of_the_app_sends_arguments_and_expiry(lab: Lab) -> None:
    with lab.broker() as lonely:  # without a worker, so that the messages stay
        env = {"CELERYLAB_PERIODIC_SECONDS": "0.2"}
        beat = lab.beat("labtasks.app:app", broker=lonely, env=env)

        def sent() -> dict[str, Any]:  # at a full hour, others as well
            headers = [json.loads(each)["headers"] for each in lonely.redis().lrange("labtasks", 0, -1)]
            return {each["task"]: each for each in headers}

        name = "labtasks.periodic.periodic_task"
        assert within(20, lambda: name in sent())
        beat.stop()
        assert sent()[name]["expires"]


def test_hourly_task_counts_what_waits_at_every_priority(lab: Lab) -> None:
    with (
        lab.broker() as lonely,
        lab.worker("labtasks.app:app", broker=lonely, name="lonely", queues=["labtasks"], concurrency=1),
    ):
        client = control.client(lonely.url)
        for priority in (0, 9):
            client.send_task("x", queue=HIGH_PRIORITY, priority=priority)
        left = scratch_path("dead-task")
        left.mkdir(parents=True)
        os.utime(left, (time.time() - 2 * DAY,) * 2)
        result = client.send_task("labtasks.periodic.hourly_task", queue="labtasks")
        found = result.get(timeout=20)
        result.forget()
    assert found["waiting"] == {**dict.fromkeys(QUEUES, 0), HIGH_PRIORITY: 2}
    assert found["free_bytes"] > 0
    assert found["swept"] == ["dead-task"]
    assert not left.exists()


def test_daily_report_lists_the_users_of_the_day(lab: Lab) -> None:
    users.change([users.register("aiko", "aiko@daily.example")], "activate")
    users.register("ken", "ken@daily.example")
    before = app.now().date()
    made = send(lab, "daily_report")
    again = send(lab, "daily_report")
    assert made["day"] in {before.isoformat(), app.now().date().isoformat()}
    assert Path(made["file_path"]) == settings().work_folder / "reports" / f"users-{made['day']}.csv"
    assert "ken,ken@daily.example,False,daily.example" in Path(made["file_path"]).read_text()
    assert (made["users"], made["active"]) == (again["users"], again["active"])
    assert made["users"] >= 2
    assert 1 <= made["active"] < made["users"]


def test_weekday_task_counts_users_who_wait(lab: Lab) -> None:
    users.register("ken", "ken@waiting.example")
    users.register("emma", "emma@Waiting.example")
    users.change([users.register("aiko", "aiko@waiting.example")], "activate")
    assert send(lab, "weekday_task")["waiting.example"] == 2


def test_day_is_added_up_from_midnight_to_midnight_in_tokyo(lab: Lab, worked: list[int]) -> None:
    made = send(lab, "generate_daily_report", "2025-11-23")
    path = Path(made.pop("file_path"))
    assert made == {"day": "2025-11-23", "datasets": 2, "runs": 2, "processed": 2, "rejected": 1}
    assert path.read_text() == (f"dataset_id,runs,processed,rejected\n{worked[0]},1,1,1\n{worked[1]},1,1,0\n")


def test_yesterday_is_the_day_if_none_is_given(lab: Lab) -> None:
    before = app.now().date()
    made = send(lab, "generate_daily_report")
    days = {(day - timedelta(days=1)).isoformat() for day in (before, app.now().date())}
    assert made["day"] in days
    assert made["file_path"].endswith(f"daily-{made['day']}.csv")


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", 20261123, ""])
def test_what_is_no_day_is_refused_by_name(lab: Lab, day: object) -> None:
    with pytest.raises(Exception, match=f"a day looks like 2026-11-23, not like {day!r}"):
        send(lab, "generate_daily_report", day)


def test_cleanup_removes_what_is_old_and_nothing_else(
    lab: Lab, worked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from labtasks import periodic

    monkeypatch.setenv("CELERYLAB_WORK_FOLDER", str(tmp_path / "work"))
    outside = tmp_path / "outside.txt"
    (tmp_path / "work" / "reports").mkdir(parents=True)
    (tmp_path / "work" / "away").symlink_to(tmp_path)
    files = {name: tmp_path / "work" / name for name in ("old.jpg", "reports/old.csv", "reports/new.csv")}
    letter = tmp_path / "work" / SPOOL / "store" / "1.letter"
    letter.parent.mkdir(parents=True)
    letter.touch()
    for path in (outside, *files.values()):
        path.write_text("four")
    link = tmp_path / "work" / "link.txt"
    link.symlink_to(outside)
    long_ago = time.time() - 31 * DAY
    for path in (outside, link, letter, files["old.jpg"], files["reports/old.csv"]):
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    caplog.set_level(logging.INFO)
    found = periodic.monthly_cleanup()
    assert found == {"files": 2, "bytes": 8, "results": 4}
    assert [path.exists() for path in files.values()] == [False, False, True]
    assert outside.exists()
    assert link.exists()
    assert letter.exists()
    assert "monthly_cleanup: removed reports/old.csv" in caplog.text
    assert periodic.monthly_cleanup() == {"files": 0, "bytes": 0, "results": 0}


def test_cleanup_forgets_old_results_of_processing(lab: Lab, worked: list[int]) -> None:
    from sqlalchemy.orm import Session

    noon = datetime(2025, 11, 23, 12, tzinfo=app.timezone).timestamp()
    assert send(lab, "monthly_cleanup", (time.time() - noon) / DAY)["results"] == 3
    with Session(engine()) as session:
        assert session.query(ProcessingResult).count() == 1


@pytest.mark.parametrize("days", [0, 0.5, -1, float("nan")])
def test_cleanup_of_what_is_new_is_refused(lab: Lab, days: float) -> None:
    with pytest.raises(Exception, match="leaves what is younger than a day"):
        send(lab, "monthly_cleanup", days)


def test_parameters_arrive_as_the_schedule_gave_them(lab: Lab) -> None:
    entry = entries(60.0)["with-args"]
    found = send(lab, "parameterized_task", *entry["args"], **entry["kwargs"])
    assert found == {"arg1": "arg1", "arg2": "arg2", "key": "value"}


def test_most_read_articles_are_cached_for_a_while(lab: Lab) -> None:
    assert articles.popular() is None
    for name, times in (("beans", 1), ("soup", 3), ("tea", 2)):
        assert [articles.count_reading(name) for _ in range(times)][-1] == times
    found = send(lab, "refresh_popular_articles", 2)
    assert found == [{"article": "soup", "readings": 3}, {"article": "tea", "readings": 2}]
    assert articles.popular() == found
    assert 0 < lab.redis.ttl(articles.POPULAR) <= 2 * 30 * 60
