"""Pictures: real files, really resized."""

from pathlib import Path

from labtasks.app import app


class NotAPicture(ValueError):
    """A file that is there but that Pillow cannot read as a picture."""


def parse_size(size: str) -> tuple[int, int]:
    """Read a size such as ``"800x600"``.

    Returns
    -------
    tuple of int
        Width and height in pixels, both positive.

    Raises
    ------
    ValueError
        The text is no size.
    """
    width, cross, height = size.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError(f"a size looks like 800x600 (width x height in pixels), not {size!r}")
    return int(width), int(height)


@app.task
def resize_image(image_path: str, size: str) -> str:
    """Write a smaller copy of a picture beside it.

    Parameters
    ----------
    image_path
        A picture file that the worker can read.
    size
        The box to fit it into, such as ``"800x600"``; proportions are kept.

    Returns
    -------
    str
        Path of the copy: ``photo.jpg`` becomes ``photo_800x600.jpg``.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    NotAPicture
        The file is no picture, or a damaged one.
    ValueError
        ``size`` is no size.
    """
    from PIL import Image, UnidentifiedImageError  # 5 MiB that a worker without pictures need not hold

    box = parse_size(size)
    source = Path(image_path)
    target = source.with_name(f"{source.stem}_{size}{source.suffix}")
    try:
        with Image.open(source) as picture:
            picture.thumbnail(box, Image.Resampling.LANCZOS)
            picture.save(target)
    except FileNotFoundError:
        raise
    except (UnidentifiedImageError, OSError) as error:
        raise NotAPicture(f"{source} cannot be read as a picture: {error}") from None
    return str(target)
