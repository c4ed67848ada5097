"""Pictures: downloaded, resized and uploaded, one by one or many at once."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import NotRequired, TypedDict
from urllib.parse import unquote, urlsplit

from celery.utils.log import get_task_logger

from labtasks import downloads, sheets, uploads
from labtasks.app import app
from labtasks.downloads import DownloadFailed
from labtasks.files import replacing
from labtasks.http import NotTaken, tell
from labtasks.settings import settings

SHEET = "contact_sheet.jpg"

logger = get_task_logger(__name__)


class NotAPicture(ValueError):
    """A file that is there but that Pillow cannot read as a picture."""


class NotificationFailed(Exception):
    """Nobody took the notification."""


class Processed(TypedDict):
    """What ``process_image`` returns: the address of the upload, or why there is none."""

    url: str
    uploaded: NotRequired[str]
    error: NotRequired[str]


class Failed(TypedDict):
    """A picture that was not uploaded, and why."""

    url: str
    error: str


class Summary(TypedDict):
    """What became of the pictures: addresses of the uploads, and what failed."""

    uploaded: list[str]
    failed: list[Failed]


Result = str | Processed


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
def download_image(url: str) -> str:
    """Download a picture into the work folder.

    Whether the answer is a picture is seen by ``resize_image``, which has to read it anyway.

    Parameters
    ----------
    url
        ``http://`` or ``https://``.

    Returns
    -------
    str
        Path of the file, its name made from the address: two addresses never share a file.

    Raises
    ------
    DownloadFailed
        The server could not be reached within the ``CELERYLAB_HTTP_TIMEOUT`` of the settings,
        it answered with an error, or the file is larger than 20 MiB.
    PictureMissing
        It answered that there is no such file. A ``DownloadFailed``, too.
    """
    read = settings()
    return str(downloads.download(url, read.work_folder, read.http_timeout))


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
    Image.init()
    with ExitStack() as opened:
        try:
            picture = opened.enter_context(Image.open(source))
            picture.thumbnail(box, Image.Resampling.LANCZOS)
        except FileNotFoundError:
            raise FileNotFoundError(f"No such file: {source}") from None
        # damaged files make Pillow's decoders raise all of these
        except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError) as error:
            known = not isinstance(error, UnidentifiedImageError)
            why = error if known else "it is of no kind that Pillow knows"
            raise NotAPicture(f"{source} cannot be read as a picture: {why}") from None
        if picture.format not in Image.SAVE:
            raise NotAPicture(f"{source} is a picture of a kind that can be read only: {picture.format}")
        with replacing(target) as draft:
            # not by the suffix: an address need not have one, or the right one
            picture.save(draft, picture.format)
    return str(target)


@app.task
def upload_image(image_path: str, destination: str) -> str:
    """Copy a picture to where others find it.

    Parameters
    ----------
    image_path
        A file that the worker can read.
    destination
        A folder, or any address that fsspec knows: ``file:///tmp/bucket``, ``s3://bucket/images/``.

    Returns
    -------
    str
        Address of the copy, such as ``file:///tmp/bucket/photo_800x600.jpg``.

    Raises
    ------
    UploadRefused
        The destination is none, or needs a package that is not installed.
    FileNotFoundError
        There is no such file.
    """
    return uploads.upload(Path(image_path), destination)


@app.task
def process_image(url: str, size: str, destination: str) -> Processed:
    """Download, resize and upload a picture; say what is wrong with it instead of failing.

    For many pictures in a chord, whose body runs only if no task of its header fails. What is
    wrong with the picture is told in the result; what is wrong with the call (a size that is
    none, a destination that cannot be reached) fails the task, it would be wrong for each picture.

    Parameters
    ----------
    url, size, destination
        As of ``download_image``, ``resize_image`` and ``upload_image``.

    Returns
    -------
    dict
        ``url``, and either ``uploaded``, the address of the copy, or ``error``.

    Raises
    ------
    ValueError
        ``size`` is no size.
    UploadRefused
        The destination is none, or needs a package that is not installed.
    """
    parse_size(size)  # before anything is downloaded
    try:
        resized = resize_image(download_image(url), size)
    except (DownloadFailed, NotAPicture) as error:
        return {"url": url, "error": f"{type(error).__name__}: {error}"}
    return {"url": url, "uploaded": upload_image(resized, destination)}


@app.task
def notify_completion(results: Result | Sequence[Result], url: str | None = None) -> Summary:
    """Tell what became of the pictures: post it to a webhook, and log it.

    Parameters
    ----------
    results
        What ``upload_image`` or ``process_image`` returned: of one picture or of many.
    url
        The webhook; the ``CELERYLAB_NOTIFY_URL`` of the settings if not given. Without either,
        it is logged only.

    Returns
    -------
    dict
        ``uploaded``, a list of addresses, and ``failed``, a list of ``{"url": …, "error": …}``.
        The same is posted, as JSON.

    Raises
    ------
    NotificationFailed
        The webhook could not be reached, or answered with an error. The pictures stay uploaded.
    TypeError
        Something among the results comes from no task of this module.
    """
    summary = summarise(results)
    counts = f"{len(summary['uploaded'])} uploaded, {len(summary['failed'])} failed"
    logger.info("pictures: %s", counts)
    if target := url or settings().notify_url:
        try:
            tell(target, summary)
        except NotTaken as why:
            raise NotificationFailed(f"{target} was not notified ({counts}): {why}") from None
    return summary


@app.task
def contact_sheet(results: Result | Sequence[Result], destination: str) -> str:
    """Put all uploaded pictures on one, with their names; upload it as ``contact_sheet.jpg``.

    Parameters
    ----------
    results
        What ``upload_image`` or ``process_image`` returned: of one picture or of many. What
        failed is left out.
    destination
        As of ``upload_image``.

    Returns
    -------
    str
        Address of the sheet.

    Raises
    ------
    ValueError
        No picture was uploaded.
    UploadRefused
        The destination is none, or needs a package that is not installed.
    """
    pictures = [
        (_caption(one), address)
        for one in _as_list(results)
        if (address := one if isinstance(one, str) else one.get("uploaded"))
    ]
    if not pictures:
        raise ValueError("contact_sheet needs at least one uploaded picture, there is none")
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / SHEET
        sheets.write_sheet(pictures, sheet)
        return uploads.upload(sheet, destination)


def summarise(results: Result | Sequence[Result]) -> Summary:
    """Sort results into uploaded and failed; ``TypeError`` for what is no result."""
    summary = Summary(uploaded=[], failed=[])
    for one in _as_list(results):
        if isinstance(one, str):
            summary["uploaded"].append(one)
        elif "uploaded" in one:
            summary["uploaded"].append(one["uploaded"])
        else:
            summary["failed"].append(Failed(url=one["url"], error=one["error"]))
    return summary


def _as_list(results: Result | Sequence[Result]) -> list[Result]:
    found: list[Result] = list(results) if isinstance(results, list | tuple) else [results]  # type: ignore[list-item]
    for one in found:
        if not (isinstance(one, str) or (isinstance(one, dict) and one.keys() & {"uploaded", "error"})):
            raise TypeError(f"a result of upload_image or process_image was expected, not {one!r}")
    return found


def _caption(one: Result) -> str:
    """Return the name that a picture had where it comes from, if that is known."""
    return PurePosixPath(unquote(urlsplit(one if isinstance(one, str) else one["url"]).path)).name
