"""Landscapes at several hours of the day, each drawn from a number alone."""

import io
import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter
from PIL.Image import Resampling, Transpose

SIZE = (1600, 1200)
WIDTH, HEIGHT = 1200, 900  # drawn, then enlarged: half the work, and the ridges come out smooth
HORIZON = 540
SHORE = 655
RIDGES = 5
QUALITY = 85
BLACK = (0, 0, 0)

Colour = tuple[int, int, int]
Outline = list[tuple[float, float]]


class Hour(NamedTuple):
    """An hour of the day.

    Attributes
    ----------
    sky
        Its colours, from the top down to the horizon.
    near
        Colour of the nearest ridge; those behind fade into the horizon's.
    light
        Colour of sun or moon.
    height
        Of sun or moon: 0 at the horizon, 1 at the top.
    stars
        How many. Where there are any, the light is a moon.
    """

    sky: tuple[Colour, ...]
    near: Colour
    light: Colour
    height: float
    stars: int = 0


HOURS = (
    Hour(
        ((70, 88, 140), (196, 148, 170), (250, 196, 160), (255, 226, 190)), (46, 42, 74), (255, 240, 214), 0.4
    ),
    Hour(
        ((86, 156, 214), (150, 200, 232), (208, 230, 240), (240, 246, 244)),
        (24, 66, 72),
        (255, 252, 236),
        0.7,
    ),
    Hour(
        ((42, 120, 190), (104, 172, 222), (176, 216, 238), (222, 238, 244)),
        (20, 62, 52),
        (255, 255, 244),
        0.86,
    ),
    Hour(
        ((96, 122, 160), (214, 172, 130), (250, 190, 104), (255, 218, 138)),
        (58, 40, 40),
        (255, 244, 196),
        0.52,
    ),
    Hour(((48, 40, 92), (150, 66, 110), (236, 108, 84), (255, 180, 96)), (34, 20, 48), (255, 226, 160), 0.36),
    Hour(
        ((16, 22, 62), (48, 56, 118), (112, 96, 156), (196, 144, 170)),
        (14, 16, 42),
        (250, 244, 226),
        0.62,
        60,
    ),
    Hour(((6, 10, 30), (14, 28, 62), (30, 56, 98), (62, 98, 136)), (5, 10, 22), (240, 244, 255), 0.76, 260),
    Hour(
        ((98, 110, 128), (146, 158, 172), (190, 198, 204), (222, 224, 222)),
        (34, 44, 52),
        (248, 246, 238),
        0.6,
    ),
)


def draw(number: int) -> bytes:
    """Return a JPEG of 1600 x 1200 pixels, the same for the same number."""
    chance = random.Random(number)
    hour = HOURS[(number - 1) % len(HOURS)]
    picture = _gradient(hour.sky, HEIGHT)
    _stars(picture, hour, chance)
    _light(picture, hour, chance)
    _clouds(picture, hour, chance)
    _mountains(picture, hour, chance)
    if number % 2:
        _lake(picture, hour)
    _trees(picture, hour, chance)
    bank = _outline(chance, HEIGHT * 0.95, HEIGHT * 0.035, 0.4)
    _fill(picture, bank, HEIGHT, (_mix(hour.near, BLACK, 0.35), _mix(hour.near, BLACK, 0.6)))
    made = io.BytesIO()
    picture.resize(SIZE, Resampling.BICUBIC).save(made, "JPEG", quality=QUALITY)
    return made.getvalue()


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(stops: Sequence[Colour], height: int) -> Image.Image:
    """Return colours that run into each other from top to bottom, as wide as the picture."""
    strip = Image.new("RGB", (1, len(stops)))
    strip.putdata(stops)
    return strip.resize((1, height), Resampling.BILINEAR).resize((WIDTH, height), Resampling.NEAREST)


def _stars(picture: Image.Image, hour: Hour, chance: random.Random) -> None:
    pencil = ImageDraw.Draw(picture)
    for _ in range(hour.stars):
        x, y = chance.uniform(0, WIDTH), HORIZON * chance.random() ** 1.4
        size = chance.choice((0.6, 0.6, 0.9, 1.4))
        bright = _mix(hour.sky[1], hour.light, chance.uniform(0.5, 1))
        pencil.ellipse((x - size, y - size, x + size, y + size), fill=bright)


def _light(picture: Image.Image, hour: Hour, chance: random.Random) -> None:
    x, y = int(WIDTH * chance.uniform(0.2, 0.8)), int(HORIZON * (1 - hour.height) * 0.92)
    reach, size = 540, 46
    # at the middle of its edges, the gradient that Pillow makes is at 181
    glow = Image.radial_gradient("L").point([int(max(0, 1 - step / 179) ** 1.8 * 190) for step in range(256)])
    glow = glow.resize((2 * reach, 2 * reach), Resampling.BILINEAR)
    picture.paste(hour.light, (x - reach, y - reach), glow)
    disc = Image.new("L", (8 * size, 8 * size))
    pencil = ImageDraw.Draw(disc)
    pencil.ellipse((0, 0, 8 * size - 1, 8 * size - 1), fill=255)
    if hour.stars:  # a crescent
        pencil.ellipse((2.4 * size, -1.2 * size, 10.4 * size, 6.8 * size), fill=0)
    picture.paste(hour.light, (x - size, y - size), disc.resize((2 * size, 2 * size), Resampling.BOX))


def _clouds(picture: Image.Image, hour: Hour, chance: random.Random) -> None:
    width, height = WIDTH // 4, HORIZON // 4
    mask = Image.new("L", (width, height))
    pencil = ImageDraw.Draw(mask)
    for _ in range(chance.randint(2, 5)):
        x, y = chance.uniform(0, width), chance.uniform(0.1, 0.6) * height
        for _ in range(7):
            left, top = x + chance.gauss(0, 26), y + chance.gauss(0, 3)
            wide, flat = chance.uniform(14, 40), chance.uniform(1.2, 3.6)
            pencil.ellipse((left - wide, top - flat, left + wide, top + flat), fill=chance.randint(70, 170))
    mask = mask.filter(ImageFilter.GaussianBlur(2.2)).resize((WIDTH, HORIZON), Resampling.BILINEAR)
    picture.paste(_mix(hour.sky[-1], hour.light, 0.6), (0, 0), mask)


def _mountains(picture: Image.Image, hour: Hour, chance: random.Random) -> None:
    haze = hour.sky[-1]
    nearness = [ridge / (RIDGES - 1) for ridge in range(RIDGES)]
    outlines = [
        _outline(chance, HORIZON + (4 * near - 2.1) * 66, HEIGHT * (0.16 - 0.06 * near), 0.52 - 0.08 * near)
        for near in nearness
    ]
    hidden = [max(y for _, y in outline) for outline in outlines[1:]]  # below it, the next one covers all
    for near, outline, low in zip(nearness, outlines, [*hidden, HEIGHT], strict=True):
        colour = _mix(_mix(haze, hour.sky[0], 0.35), hour.near, near**0.9)
        _fill(picture, outline, low, (colour, _mix(colour, haze, 0.5 * (1 - near) + 0.12)))


def _outline(chance: random.Random, base: float, rise: float, roughness: float) -> Outline:
    """Return a ridge from left to right: midpoints, moved at random, less at each halving."""
    heights = [chance.uniform(-1, 1) for _ in range(3)]
    spread = 1.0
    while len(heights) < 400:
        spread *= roughness
        middle = [(a + b) / 2 + spread * (2 * chance.random() - 1) for a, b in itertools.pairwise(heights)]
        heights = [each for pair in zip(heights, middle, strict=False) for each in pair] + heights[-1:]
    step = WIDTH / (len(heights) - 1)
    return [(n * step, base - rise * each) for n, each in enumerate(heights)]


def _fill(picture: Image.Image, outline: Outline, low: float, colours: Sequence[Colour]) -> None:
    """Fill what lies under an outline, down to ``low``."""
    top, low = max(0, int(min(y for _, y in outline))), min(HEIGHT, int(low) + 1)
    mask = Image.new("L", (WIDTH, max(1, low - top)))
    shape = [(0.0, HEIGHT), *((x, y - top) for x, y in outline), (WIDTH, HEIGHT)]
    ImageDraw.Draw(mask).polygon(shape, fill=255)
    picture.paste(_gradient(colours, mask.height), (0, top), mask)


def _lake(picture: Image.Image, hour: Hour) -> None:
    depth = HEIGHT - SHORE
    above = picture.crop((0, SHORE - depth, WIDTH, SHORE)).transpose(Transpose.FLIP_TOP_BOTTOM)
    still = above.reduce((2, 6)).resize((WIDTH, depth), Resampling.BILINEAR)
    picture.paste(Image.blend(still, _gradient((hour.sky[-1], hour.near), depth), 0.22), (0, SHORE))


def _trees(picture: Image.Image, hour: Hour, chance: random.Random) -> None:
    pencil = ImageDraw.Draw(picture)
    colour = _mix(hour.near, BLACK, 0.4)
    on_the_left = chance.random() < 0.5
    for _ in range(chance.randint(9, 16)):
        inwards = WIDTH * abs(chance.gauss(0, 0.13))
        x = inwards if on_the_left else WIDTH - inwards
        tall = HEIGHT * chance.uniform(0.12, 0.34) * (1 - min(0.5, inwards / 1000))
        foot = HEIGHT * chance.uniform(0.95, 1.0)
        pencil.rectangle((x - 3, foot - tall * 0.2, x + 3, foot + 40), fill=colour)
        for tier in range(11):
            top = foot - tall + tall * 0.08 * tier
            low, wide = top + tall * 0.16, tall * 0.024 * (tier + 1.6) * chance.uniform(0.8, 1.1)
            under = low - tall * 0.03
            branches = [(x + wide, low), (x + wide * 0.3, under), (x - wide * 0.3, under), (x - wide, low)]
            pencil.polygon([(x, top), *branches], fill=colour)
