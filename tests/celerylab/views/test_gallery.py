"""Photos side by side, at one scale."""

import io
from pathlib import Path

import pytest
from PIL import Image

from celerylab.errors import LabError
from celerylab.views.gallery import WIDEST, gallery

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def photo(tmp_path: Path):
    def make(name: str, size: tuple[int, int], colour: tuple[int, int, int], mode: str = "RGB") -> str:
        Image.new(mode, size, colour).save(tmp_path / name)
        return str(tmp_path / name)

    return make


def share(sheet: Image.Image, colour: tuple[int, int, int]) -> int:
    """Count the pixels that are about of a colour."""
    seen = sheet.getcolors(sheet.width * sheet.height)
    return sum(n for n, one in seen if max(abs(a - b) for a, b in zip(one, colour, strict=True)) < 30)


def test_photos_are_shown_at_one_scale_and_their_text_holds_no_path(photo) -> None:
    large, small = photo("1.png", (1600, 1200), RED), photo("2.png", (800, 600), BLUE, "RGBA")
    shown = gallery(before=large, after=f"file://{small}")
    assert repr(shown) == "before: 1600 x 1200 pixels, after: 800 x 600 pixels"
    with Image.open(io.BytesIO(shown._repr_jpeg_())) as sheet:
        assert sheet.width == pytest.approx(WIDEST, abs=2)
        assert share(sheet, RED) / share(sheet, BLUE) == pytest.approx(4, rel=0.03)


def test_small_photo_is_not_enlarged_and_its_caption_stays_whole(photo) -> None:
    shown = gallery(thumbnail=photo("1.png", (64, 48), RED))
    with Image.open(io.BytesIO(shown.jpeg)) as sheet:
        assert share(sheet, RED) == pytest.approx(64 * 48, rel=0.1)
        assert 150 < sheet.width < WIDEST
        edge = sheet.crop((sheet.width - 8, 0, *sheet.size))
        assert min(low for low, _ in edge.getextrema()) > 235


def test_no_photo_is_refused() -> None:
    with pytest.raises(LabError, match="at least one photo"):
        gallery()
