"""Photos side by side, at one scale, so that their sizes can be compared."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from celerylab.errors import LabError
from celerylab.views import texts

if TYPE_CHECKING:
    from PIL.Image import Image

WIDEST = 800  # pixels
MARGIN = 14
LETTERS = 14  # pixels high
PAPER, INK = "#fafafa", "#333333"
QUALITY = 85


class Gallery:
    """Photos on one sheet that shows itself in a notebook.

    Parameters
    ----------
    jpeg
        The sheet.
    text
        Caption and size of each photo.
    """

    def __init__(self, jpeg: bytes, text: str) -> None:
        self.jpeg = jpeg
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_jpeg_(self) -> bytes:
        return self.jpeg


def gallery(**photos: str) -> Gallery:
    """Put photos side by side, each with its caption, its pixels and the size of its file.

    Parameters
    ----------
    photos
        Path or fsspec address of each, by its caption.

    Raises
    ------
    LabError
        No photo is given.
    """
    if not photos:
        raise LabError(texts.NO_PHOTO)
    import fsspec
    from PIL import Image  # late: a lesson without photos need not hold it

    opened: list[tuple[Image.Image, str]] = []
    says = []
    for caption, address in photos.items():
        with fsspec.open(address, "rb") as file:
            content = file.read()
        photo = Image.open(io.BytesIO(content)).convert("RGB")
        said = texts.PHOTO.format(caption=caption, width=photo.width, height=photo.height)
        says.append(said)
        opened.append((photo, texts.PHOTO_FILE.format(said=said, size=f"{len(content) / 1000:.0f}")))
    return Gallery(_sheet(opened), ", ".join(says))


def _sheet(photos: list[tuple[Image, str]]) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(LETTERS)
    room = WIDEST - MARGIN * (len(photos) + 1)
    scale = min(1.0, room / sum(photo.width for photo, _ in photos))
    sizes = [(max(1, round(photo.width * scale)), max(1, round(photo.height * scale))) for photo, _ in photos]
    columns = [
        max(wide, int(font.getlength(caption)) + 1)
        for (wide, _), (_, caption) in zip(sizes, photos, strict=True)
    ]
    floor = MARGIN + max(high for _, high in sizes)
    paper = (sum(columns) + MARGIN * (len(photos) + 1), floor + 2 * LETTERS + MARGIN // 2)
    sheet = Image.new("RGB", paper, PAPER)
    pencil = ImageDraw.Draw(sheet)
    left = MARGIN
    for (photo, caption), (wide, high), column in zip(photos, sizes, columns, strict=True):
        sheet.paste(photo.resize((wide, high), Image.Resampling.LANCZOS), (left, floor - high))
        pencil.text((left, floor + LETTERS // 2), caption, fill=INK, font=font)
        left += column + MARGIN
    made = io.BytesIO()
    sheet.save(made, "JPEG", quality=QUALITY)
    return made.getvalue()
