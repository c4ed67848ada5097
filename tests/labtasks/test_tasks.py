"""The tasks of the bundled worker, run by a real worker."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from celery.result import AsyncResult
from celery.states import READY_STATES
from PIL import Image

from celerylab import Lab

CLIENT = [sys.executable, "-m", "labtasks.client"]


def send(lab: Lab, task: str, *args: Any) -> AsyncResult:
    return lab.client.send_task(f"labtasks.{task}", args, queue="labtasks")


def client(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLIENT, *options], capture_output=True, text=True, timeout=90, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("task", "args", "expected"),
    [
        ("basics.add", (2, 3), 5),
        ("basics.multiply", (4, 2.5), 10.0),
        ("basics.long_task", (0,), "done after 0 s"),
        (
            "basics.process_data",
            ([4, 1, 1],),
            {"count": 3, "total": 6, "mean": 2.0, "smallest": 1, "largest": 4},
        ),
    ],
)
def test_basic_task_returns(lab: Lab, task: str, args: tuple[Any, ...], expected: object) -> None:
    assert send(lab, task, *args).get(timeout=10) == expected


@pytest.mark.parametrize(
    ("task", "args", "message"),
    [
        ("basics.long_task", (-1,), "long_task takes 0 seconds or more, not -1"),
        ("basics.process_data", ([],), "at least one number"),
        ("images.resize_image", ("x.png", "big"), "a size looks like 800x600"),
        ("images.resize_image", ("x.png", "0x600"), "a size looks like 800x600"),
        ("mail.send_welcome_email", (4711,), "there is no user 4711"),
    ],
)
def test_bad_input_is_refused_by_name(lab: Lab, task: str, args: tuple[Any, ...], message: str) -> None:
    with pytest.raises(Exception, match=message):
        send(lab, task, *args).get(timeout=20)


def test_long_task_reports_progress_while_it_runs(lab: Lab) -> None:
    result = send(lab, "basics.long_task", 1.0)
    seen = []
    found = {"status": "PENDING"}
    while found["status"] not in READY_STATES:
        found = result.backend.get_task_meta(result.id)  # one look, for state and progress together
        if found["status"] == "PROGRESS":
            seen.append(found["result"])
    assert seen
    assert all(0 <= info["current"] <= info["total"] == 1.0 for info in seen)


def test_picture_is_resized_into_the_box_and_kept(lab: Lab, tmp_path: Path) -> None:
    source = tmp_path / "photo.png"
    Image.new("RGB", (1600, 800), "teal").save(source)
    made = send(lab, "images.resize_image", str(source), "400x400").get(timeout=20)
    assert made == str(tmp_path / "photo_400x400.png")
    with Image.open(made) as small, Image.open(source) as large:
        assert (small.size, large.size) == ((400, 200), (1600, 800))


@pytest.mark.parametrize(
    ("content", "message"), [(b"not a picture", "cannot be read"), (None, "No such file")]
)
def test_what_is_no_picture_is_refused(lab: Lab, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "photo.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Exception, match=message):
        send(lab, "images.resize_image", str(path), "400x400").get(timeout=20)


def test_picture_cut_short_is_refused(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.effect_noise((300, 300), 50).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(Exception, match="cannot be read as a picture"):
        send(lab, "images.resize_image", str(path), "100x100").get(timeout=20)


def test_slow_api_is_called_with_json_and_its_answer_returned(lab: Lab) -> None:
    hook = lab.webhook(answer={"score": 3})
    assert send(lab, "partners.call_slow_api", hook.url, {"user": 1}).get(timeout=20) == {"score": 3}
    assert [request.body for request in hook] == [{"user": 1}]


def test_slow_api_that_answers_with_an_error_fails_the_task(lab: Lab) -> None:
    hook = lab.webhook(status=503)
    with pytest.raises(Exception, match="503"):
        send(lab, "partners.call_slow_api", hook.url, {}).get(timeout=20)


def test_client_sends_all_three_and_shows_what_they_returned(lab: Lab) -> None:
    done = client("--seconds", "0.5")
    assert done.returncode == 0, done.stderr
    assert "add(2, 3) → 5" in done.stdout
    assert "long_task(0.5) → done after 0.5 s" in done.stdout
    assert re.search(r"process_data\(1 … 10\) → \{'count': 10", done.stdout)


def test_client_says_in_one_line_that_the_broker_is_down(lab: Lab) -> None:
    done = client(CELERYLAB_BROKER_URL="redis://:secret@127.0.0.1:1/0")
    assert done.returncode == 1
    assert done.stderr.startswith("labtasks.client: no broker answers at redis://:**@127.0.0.1:1/0")
    assert len(done.stderr.splitlines()) == 1


def test_client_gives_up_when_no_worker_takes_the_tasks(lab: Lab) -> None:
    with lab.broker() as lonely:
        done = client("--timeout", "1", CELERYLAB_BROKER_URL=lonely.url)
    assert done.returncode == 1
    assert "add(2, 3), long_task(3), process_data(1 … 10) not done after 1 s" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CELERYLAB_BROKER_URL", "", "CELERYLAB_BROKER_URL is not set"),
        ("CELERYLAB_SMTP_PORT", "mail", "CELERYLAB_SMTP_PORT: expected `int`"),
        ("CELERYLAB_HTTP_TIMEOUT", "0", "CELERYLAB_HTTP_TIMEOUT: expected `float` > 0.0"),
    ],
)
def test_bad_setting_is_refused_by_name(lab: Lab, name: str, value: str, message: str) -> None:
    done = client(**{name: value})
    assert done.returncode == 1
    assert message in done.stderr
