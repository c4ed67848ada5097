"""The lab's own photos, over HTTP."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from celerylab import Lab
from celerylab.samples import landscape


@pytest.fixture(scope="module")
def site() -> Iterator[httpx.Client]:
    lab = Lab()
    lab.start()
    with httpx.Client(base_url=lab.serve("celerylab.samples.photos:app").url) as client:
        yield client
    lab.stop()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_photos_are_listed_and_are_there(site: httpx.Client) -> None:
    paths = site.get("/").json()
    assert (len(paths), paths[0], paths[-1]) == (64, "/photos/1.jpg", "/photos/64.jpg")
    for path in (paths[0], paths[1], paths[-1]):
        answer = site.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        with opened(answer.content) as photo:
            photo.load()
            assert (photo.format, photo.size) == ("JPEG", (1600, 1200))


def test_photo_is_the_same_in_every_process_and_like_no_other(site: httpx.Client) -> None:
    photos = [site.get(f"/photos/{n}.jpg").content for n in range(1, 17)]
    assert photos[2] == landscape.draw(3)
    assert len(set(photos)) == 16


def test_broken_photo_begins_as_one_and_ends_too_soon(site: httpx.Client) -> None:
    answer = site.get("/photos/broken.jpg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    with opened(answer.content) as photo:
        assert photo.size == (1600, 1200)
        with pytest.raises(OSError, match="truncated"):
            photo.load()


@pytest.mark.parametrize(
    "path",
    ["/photos", "/photos/", "/photos/0.jpg", "/photos/65.jpg", "/photos/01.jpg", "/photos/1.png", "/x"],
)
def test_anything_else_is_not_there(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": f"no photo {path}"})


def test_head_tells_the_length_and_sends_nothing(site: httpx.Client) -> None:
    answer = site.head("/photos/1.jpg")
    assert int(answer.headers["content-length"]) == len(landscape.draw(1))
    assert answer.content == b""
