"""Contact sheets: many pictures on one."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labtasks import uploads

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDEST = 2400  # pixels, about: with more pictures, each is smaller
TILE = (60, 240)  # narrowest and widest, in pixels
MARGIN = 12
PAPER, INK = "#fafafa", "#333333"


def write_sheet(pictures: Sequence[tuple[str, str]], target: Path) -> None:
    """Write a picture of pictures, as square as it gets.

    Parameters
    ----------
    pictures
        Caption and address of each, one at least; from left to right, and from top to bottom.
    target
        The sheet; its suffix says in which format.
    """
    from PIL import Image, ImageDraw, ImageFont

    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    wide = min(TILE[1], max(TILE[0], WIDEST // columns - MARGIN))
    high = wide * 3 // 4
    size = max(8, wide // 16)
    across, down = wide + MARGIN, high + 2 * size + MARGIN // 2
    font = ImageFont.load_default(size)
    sheet = Image.new("RGB", (columns * across + MARGIN, rows * down + MARGIN), PAPER)
    pencil = ImageDraw.Draw(sheet)
    for n, (caption, address) in enumerate(pictures):
        left, top = MARGIN + n % columns * across, MARGIN + n // columns * down
        with uploads.read(address) as file, Image.open(file) as picture:
            picture.draft("RGB", (wide, high))  # of a JPEG, no more is read than the tile shows
            picture.thumbnail((wide, high), Image.Resampling.LANCZOS)
            place = left + (wide - picture.width) // 2, top + (high - picture.height) // 2
            _paste(sheet, picture, place)
        middle = left + wide // 2, top + high + size // 2
        pencil.text(middle, _shortened(caption, font, wide), fill=INK, font=font, anchor="ma")
    sheet.save(target, quality=90)


def _paste(sheet: "Image", picture: "Image", place: tuple[int, int]) -> None:
    """Put a picture on the paper, which shows through where it is transparent."""
    opaque = picture.convert("RGBA")
    sheet.paste(opaque, place, opaque)


def _shortened(caption: str, font: "FreeTypeFont | ImageFont", wide: int) -> str:
    if font.getlength(caption) <= wide:
        return caption
    while caption and font.getlength(caption + "…") > wide:
        caption = caption[:-1]
    return caption + "…"
