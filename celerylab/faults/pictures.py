"""Pictures for a fault test: small ones that are good, and three kinds that are not."""

import functools
import io
import random
import struct
import zlib

SIZE = (320, 240)
LARGE = (4000, 3000)
QUALITY = 80
BOMB = (30_000, 30_000)  # pixels; Pillow refuses what is larger than 179 million


def good(number: int) -> bytes:
    """Return a small JPEG, different for each number."""
    from PIL import Image, ImageDraw

    chance = random.Random(number)
    picture = Image.new("RGB", SIZE, _colour(chance))
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y = chance.randrange(SIZE[0]), chance.randrange(SIZE[1])
        draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill=_colour(chance))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=QUALITY)
    return stored.getvalue()


@functools.cache
def large(_number: int) -> bytes:
    """Return a PNG that takes a tenth of a second to read: long enough to be met in mid-work."""
    from PIL import Image

    stored = io.BytesIO()
    Image.new("RGB", LARGE, (90, 140, 200)).save(stored, "PNG", compress_level=1)
    return stored.getvalue()


def no_picture(_number: int) -> bytes:
    """Return bytes that are no picture at all."""
    return b"<html><body>404 Not Found</body></html>\n"


def cut_short(number: int) -> bytes:
    """Return the first half of a JPEG, as an upload that broke off leaves it."""
    whole = good(number)
    return whole[: len(whole) // 2]


def bomb(_number: int) -> bytes:
    """Return a PNG of 100 bytes that says it is 2.7 GB large: a decompression bomb."""
    header = struct.pack(">IIBBBBB", *BOMB, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(b"\0" * 64)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


BAD = (no_picture, cut_short, bomb)


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
