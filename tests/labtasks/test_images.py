"""The image workflow: real pictures, over HTTP, through a real worker, into a bucket."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import fsspec
import pytest
from celery import chain, chord
from celery.canvas import Signature
from celery.exceptions import ChordError
from PIL import Image

from celerylab import Lab
from celerylab.stack.owner import owner
from labtasks.downloads import LIMIT, DownloadFailed, PictureMissing, download, file_name
from labtasks.files import replacing
from labtasks.images import NotAPicture, NotificationFailed, summarise
from labtasks.settings import Settings
from labtasks.sheets import write_sheet
from labtasks.uploads import UploadRefused, read, upload

XPM = '/* XPM */\nstatic char *x[] = {\n"1 1 1 1",\n"a c #ff0000",\n"a"\n};\n'


@pytest.fixture(scope="module")
def site(lab: Lab) -> str:
    return lab.serve("celerylab.samples.photos:app").url


@pytest.fixture
def task(lab: Lab):
    """Make a signature of a task of the module."""

    def make(name: str, *args: Any) -> Signature:
        return lab.client.signature(f"labtasks.images.{name}", args, queue="labtasks", app=lab.client)

    return make


@pytest.fixture
def pipeline(task, tmp_path: Path):
    """Make the seed's chain for one picture."""

    def make(url: str) -> Signature:
        steps = (
            task("download_image", url),
            task("resize_image", "800x600"),
            task("upload_image", f"file://{tmp_path}/bucket"),
        )
        return chain(*steps, app=steps[0].app)

    return make


def size_of(address: str) -> tuple[int, int]:
    with read(address) as file, Image.open(file) as picture:
        picture.load()
        return picture.size


def test_single_picture_goes_through_the_chain(lab: Lab, site: str, pipeline, tmp_path: Path) -> None:
    address = pipeline(f"{site}/photos/1.jpg").apply_async().get(timeout=30)
    assert address.startswith(f"file://{tmp_path}/bucket/1-")
    assert size_of(address) == (800, 600)
    work = Path(os.environ["CELERYLAB_WORK_FOLDER"])
    assert work.parent == owner().folder
    assert [file.suffix for file in work.glob("1-*")] == [".jpg", ".jpg"]  # as downloaded, and resized


def test_many_pictures_go_through_a_chord_whose_body_notifies(lab: Lab, site: str, pipeline, task) -> None:
    hook = lab.webhook()
    header = [pipeline(f"{site}/photos/{n}.jpg") for n in (1, 2, 3)]
    summary = chord(header, task("notify_completion", hook.url), app=lab.client)().get(timeout=30)
    assert [size_of(address) for address in summary["uploaded"]] == [(800, 600)] * 3
    assert len(set(summary["uploaded"])) == 3
    assert summary["failed"] == []
    assert [(request.method, request.body) for request in hook] == [("POST", summary)]


def test_missing_picture_fails_a_chord_of_chains_with_its_address(
    lab: Lab, site: str, pipeline, task
) -> None:
    header = [pipeline(f"{site}/photos/{n}.jpg") for n in (1, 99)]
    # whether it is the picture's own or the chord's, depends on which result is read first
    with pytest.raises((PictureMissing, ChordError), match=r"/photos/99\.jpg answered 404 Not Found"):
        chord(header, task("notify_completion"), app=lab.client)().get(timeout=30)


def test_bad_pictures_do_not_stop_a_chord_of_whole_pictures(
    lab: Lab, site: str, task, tmp_path: Path
) -> None:
    urls = [f"{site}/{path}" for path in ("photos/1.jpg", "photos/99.jpg", "photos/broken.jpg", "")]
    header = [task("process_image", url, "800x600", str(tmp_path)) for url in urls]
    summary = chord(header, task("notify_completion"), app=lab.client)().get(timeout=30)
    assert [size_of(address) for address in summary["uploaded"]] == [(800, 600)]
    assert [failed["url"] for failed in summary["failed"]] == urls[1:]
    missing, broken, page = (failed["error"] for failed in summary["failed"])
    assert missing == f"PictureMissing: {urls[1]} answered 404 Not Found"
    assert broken.startswith("NotAPicture: ")
    assert "image file is truncated" in broken
    assert page.endswith("cannot be read as a picture: it is of no kind that Pillow knows")


@pytest.mark.parametrize(
    ("name", "args", "error", "message"),
    [
        ("download_image", ("{site}/photos/99.jpg",), PictureMissing, "answered 404 Not Found$"),
        ("download_image", ("http://127.0.0.1:1/x.jpg",), DownloadFailed, "^http://127.0.0.1:1/x.jpg cannot"),
        ("download_image", ("file:///etc/passwd",), DownloadFailed, "missing an 'http://' or 'https://'"),
        ("download_image", ("http://[::1",), DownloadFailed, "cannot be downloaded"),
        ("resize_image", ("/nowhere/x.jpg", "8x6"), FileNotFoundError, "^No such file: /nowhere/x.jpg$"),
        ("resize_image", (__file__, "8x6"), NotAPicture, "cannot be read as a picture: it is of no kind"),
        ("upload_image", ("/nowhere/x.jpg", "{folder}"), FileNotFoundError, "^No such file: /nowhere/x.jpg$"),
        ("upload_image", (__file__, "bucket"), UploadRefused, "^'bucket' is no destination. Give a folder"),
        ("upload_image", (__file__, "file://bucket"), UploadRefused, "'file://bucket' is no destination"),
        ("upload_image", (__file__, "nil://x/"), UploadRefused, "^nil://x/ cannot.*not known: nil. Give a f"),
        ("process_image", ("{site}/photos/1.jpg", "8x6", "bucket"), UploadRefused, "no destination"),
        ("notify_completion", ([], "http://127.0.0.1:1/"), NotificationFailed, "was not notified \\(0 upl"),
        ("notify_completion", ([3],), TypeError, "a result of upload_image or process_image.*not 3$"),
        ("contact_sheet", ([{"url": "u", "error": "e"}], "{folder}"), ValueError, "at least one uploaded"),
    ],
)
def test_failure_reaches_the_client_as_it_was_raised(
    site: str, task, tmp_path: Path, name: str, args: tuple[Any, ...], error: type, message: str
) -> None:
    given = [
        arg.format(site=site, folder=tmp_path) if isinstance(arg, str) and "{" in arg else arg for arg in args
    ]
    with pytest.raises(error, match=message) as raised:
        task(name, *given).apply_async().get(timeout=30)
    assert type(raised.value) is error


def test_size_that_is_none_is_refused_before_anything_is_downloaded(lab: Lab, task, tmp_path: Path) -> None:
    hook = lab.webhook()
    with pytest.raises(ValueError, match="looks like 800x600"):
        task("process_image", hook.url, "big", str(tmp_path)).apply_async().get(timeout=30)
    assert len(hook) == 0


def test_download_is_made_once_whole_and_alone(site: str, tmp_path: Path) -> None:
    first = download(f"{site}/photos/2.jpg", tmp_path / "new", timeout=10)
    assert download(f"{site}/photos/2.jpg", tmp_path / "new", timeout=10) == first
    assert [file.name for file in (tmp_path / "new").iterdir()] == [first.name]


def test_server_that_is_silent_for_too_long_is_given_up(lab: Lab, tmp_path: Path) -> None:
    hook = lab.webhook(delay=1.0)
    with pytest.raises(DownloadFailed, match=f"^{hook.url}/x.jpg cannot be downloaded: .*timed out"):
        download(f"{hook.url}/x.jpg", tmp_path, timeout=0.1)
    assert list(tmp_path.iterdir()) == []


def test_answer_that_is_an_error_is_told(lab: Lab, tmp_path: Path) -> None:
    hook = lab.webhook(status=503)
    with pytest.raises(DownloadFailed, match=r"answered 503 Service Unavailable$") as raised:
        download(hook.url, tmp_path, timeout=10)
    assert type(raised.value) is DownloadFailed


@pytest.fixture
def careless() -> Iterator[str]:
    """A server that tells no length, or a wrong one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if self.path == "/large-and-told":
                self.send_header("Content-Length", str(LIMIT + 1))
            if self.path == "/short":
                self.send_header("Content-Length", "1000")
            length = LIMIT + 1 if self.path == "/large" else 500
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side has heard enough
                self.wfile.write(b"x" * length)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("large-and-told", "/large-and-told is larger than 20 MiB"),
        ("large", "/large is larger than 20 MiB"),
        ("short", "/short cannot be downloaded: peer closed connection"),
    ],
)
def test_download_that_is_too_large_or_breaks_off_leaves_nothing(
    careless: str, tmp_path: Path, path: str, message: str
) -> None:
    with pytest.raises(DownloadFailed, match=message):
        download(f"{careless}/{path}", tmp_path, timeout=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "start", "suffix"),
    [
        ("http://h/a/sea.JPG", "sea-", ".jpg"),
        ("http://h/a/sea.jpg?size=5#top", "sea-", ".jpg"),
        ("http://h/..%2f..%2fetc%2fpasswd", "passwd-", ""),
        ("http://h/%2e%2e", "picture-", ""),
        ("http://h/a%00b\\..\\c.p%2fg", "g-", ""),
        ("http://h/海.png", "picture-", ".png"),
        ("http://h", "picture-", ""),
        ("http://h/" + 300 * "x" + ".jpeg", 40 * "x" + "-", ".jpeg"),
        ("http://h/x." + 300 * "y", "x-", ""),
    ],
)
def test_file_name_is_readable_and_no_path(url: str, start: str, suffix: str) -> None:
    name = file_name(url)
    assert name.startswith(start)
    assert name == Path(name).name == f"{start}{name[len(start) :][:16]}{suffix}"


def test_addresses_never_share_a_file_name() -> None:
    urls = (
        "http://h/a/1.jpg",
        "http://h/b/1.jpg",
        "http://h/a/1.jpg?x",
        "https://h/a/1.jpg",
        "http://h/1.jpg",
    )
    assert len({file_name(url) for url in urls}) == len(urls)


def test_file_that_is_not_written_to_the_end_replaces_nothing(tmp_path: Path) -> None:
    target = tmp_path / "x.txt"
    target.write_text("whole")
    with pytest.raises(UnicodeEncodeError), replacing(target) as draft:
        draft.write_text("ha\ud800")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x.txt", "whole")]
    with replacing(target) as draft:
        draft.write_text("new")
        assert target.read_text() == "whole"
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x.txt", "new")]


@pytest.mark.parametrize("name", ["no_suffix", "wrong.jpg"])
def test_resized_picture_stays_of_its_kind_whatever_its_name(task, tmp_path: Path, name: str) -> None:
    Image.new("RGBA", (200, 100)).save(tmp_path / name, "PNG")
    made = task("resize_image", str(tmp_path / name), "50x50").apply_async().get(timeout=30)
    with Image.open(made) as small:
        assert (small.format, small.mode, small.size) == ("PNG", "RGBA", (50, 25))
    assert Path(made).suffix == Path(name).suffix


def test_picture_of_a_kind_that_cannot_be_written_is_refused(task, tmp_path: Path) -> None:
    (tmp_path / "x.xpm").write_text(XPM)
    with pytest.raises(NotAPicture, match="of a kind that can be read only: XPM"):
        task("resize_image", str(tmp_path / "x.xpm"), "8x6").apply_async().get(timeout=30)


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        ("{folder}/new/bucket", "file://{folder}/new/bucket/x.txt"),
        ("{folder}/", "file://{folder}/x.txt"),
        ("file://{folder}/bucket/", "file://{folder}/bucket/x.txt"),
        ("memory://bucket/images/", "memory:///bucket/images/x.txt"),
        ("memory://", "memory:///x.txt"),
    ],
)
def test_upload_is_found_under_the_address_that_is_returned(
    tmp_path: Path, destination: str, address: str
) -> None:
    source = tmp_path / "source" / "x.txt"
    source.parent.mkdir()
    for text in ("old", "new"):
        source.write_text(text)
        uploaded = upload(source, destination.format(folder=tmp_path))
        assert uploaded == address.format(folder=tmp_path)
        with read(uploaded) as file:
            assert file.read() == text.encode()


def test_storage_whose_package_is_missing_is_refused_with_its_name() -> None:
    fsspec.register_implementation(
        "shelf", "absent.Shelf", clobber=True, errtxt="Install shelffs to access it"
    )
    with pytest.raises(
        UploadRefused,
        match=r"^shelf://x/ cannot be reached from this worker: Install shelffs to access it\. Do that where",
    ):
        upload(Path(__file__), "shelf://x/")


def test_storage_that_is_read_only_is_refused() -> None:
    with pytest.raises(UploadRefused, match="can be read only"):
        upload(Path(__file__), "data://x")


def test_notification_goes_to_the_webhook_of_the_settings(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = lab.webhook()
    monkeypatch.setenv("CELERYLAB_NOTIFY_URL", hook.url)
    other = Lab()
    try:
        monkeypatch.delenv("CELERYLAB_BROKER_URL")
        other.start()
        sent = other.client.send_task("labtasks.images.notify_completion", ("file:///x",), queue="labtasks")
        summary = sent.get(timeout=30)
    finally:
        other.stop()
    assert summary == {"uploaded": ["file:///x"], "failed": []}
    assert [request.body for request in hook] == [summary]


def test_without_a_webhook_the_notification_is_logged(lab: Lab, task) -> None:
    results = ["file:///x", {"url": "u", "error": "e"}]
    assert task("notify_completion", results).apply_async().get(timeout=30)["failed"] == [results[1]]
    assert "pictures: 1 uploaded, 1 failed" in lab.bundled.log("pictures:")


def test_webhook_that_refuses_fails_the_notification(lab: Lab, task) -> None:
    hook = lab.webhook(status=503)
    message = rf"^{hook.url} was not notified \(1 uploaded, 0 failed\): Server error '503 Service Unavail"
    with pytest.raises(NotificationFailed, match=message):
        task("notify_completion", ["file:///x"], hook.url).apply_async().get(timeout=30)


def test_summary_takes_one_result_or_many_of_either_task() -> None:
    done, failed = {"url": "u", "uploaded": "a"}, {"url": "v", "error": "e"}
    assert summarise(["b", done, failed]) == {"uploaded": ["b", "a"], "failed": [failed]}
    assert summarise(done) == {"uploaded": ["a"], "failed": []}
    assert summarise([]) == {"uploaded": [], "failed": []}


def test_contact_sheet_shows_every_uploaded_picture_in_order(task, tmp_path: Path) -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30), (30, 200, 200)]
    results: list[object] = []
    for n, colour in enumerate(colours):
        path = tmp_path / f"{n}.png"
        Image.new("RGB", (400, 300), colour).save(path)
        results.append(f"file://{path}" if n else {"url": "http://h/first.png", "uploaded": f"file://{path}"})
    results.insert(2, {"url": "u", "error": "e"})
    address = task("contact_sheet", results, str(tmp_path)).apply_async().get(timeout=30)
    assert address == f"file://{tmp_path}/contact_sheet.jpg"
    with Image.open(tmp_path / "contact_sheet.jpg") as sheet:
        middles = [(132 + n % 3 * 252, 102 + n // 3 * 216) for n in range(6)]
        found = [sheet.getpixel(middle) for middle in middles]
        assert max(sheet.size) == 768
    for colour, seen in zip([*colours, (250, 250, 250)], found, strict=True):
        assert max(abs(a - b) for a, b in zip(colour, seen, strict=True)) < 8, (colour, seen)


def test_sheet_of_very_many_pictures_stays_of_a_size_to_look_at(tmp_path: Path) -> None:
    Image.new("RGB", (40, 90), "teal").save(
        tmp_path / "a name too long to stand under so small a picture.png"
    )
    (path,) = tmp_path.iterdir()
    write_sheet([(path.name, f"file://{path}")] * 900, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert max(sheet.size) < 3000


def test_work_folder_is_in_the_systems_temporary_folder_if_none_is_given() -> None:
    assert Settings("redis://x").work_folder == Path(tempfile.gettempdir()) / "celery-lab"


def test_attached_lab_keeps_the_work_folder_that_is_given(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attached = Lab()
    monkeypatch.setenv("CELERYLAB_WORK_FOLDER", str(tmp_path))
    attached.start()
    assert os.environ["CELERYLAB_WORK_FOLDER"] == str(tmp_path)
    attached.stop()
    monkeypatch.delenv("CELERYLAB_WORK_FOLDER")
    attached.start()
    assert os.environ["CELERYLAB_WORK_FOLDER"] == str(owner().folder / "work")
    attached.stop()
    assert "CELERYLAB_WORK_FOLDER" not in os.environ


def test_importing_the_tasks_loads_no_package_that_a_worker_may_not_need() -> None:
    code = "import sys, labtasks.images; print({'PIL', 'httpx', 'fsspec'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
