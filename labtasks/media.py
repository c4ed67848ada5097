"""Pictures that somebody has picked, imported one by one; and a long task to look at."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from celery import Task
from celery.utils.log import get_task_logger

from labtasks import progress
from labtasks.app import app
from labtasks.images import download_image, parse_size, resize_image

STEP = 0.1  # s between two progress reports
THUMBNAILS = ("160x120", "640x480")

logger = get_task_logger(__name__)


class Imported(TypedDict):
    """What ``picker_import_item_task`` returns."""

    url: str
    path: str
    thumbnails: list[str]


@app.task(bind=True)
def dummy_long_task(self: "Task[Any, Any]", seconds: float, fail: bool = False) -> dict[str, float]:
    """Take so many seconds, tell how far it is, and fail in the end if that is asked for.

    Returns
    -------
    dict
        ``seconds`` that it took.

    Raises
    ------
    ValueError
        ``seconds`` is negative.
    RuntimeError
        It was to fail.
    """
    if seconds < 0:
        raise ValueError(f"dummy_long_task takes 0 seconds or more, not {seconds}")
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        progress.tell(self, current=round(spent, 1), total=seconds)
        time.sleep(min(STEP, seconds - spent))
    if fail:
        raise RuntimeError(f"dummy_long_task was to fail after {seconds:g} s")
    return {"seconds": round(time.monotonic() - began, 3)}


@app.task
def thumbs_generate_task(image_path: str, sizes: Sequence[str] = THUMBNAILS) -> list[str]:
    """Write smaller copies of a picture beside it, and return their paths.

    Parameters
    ----------
    image_path
        A picture file that the worker can read.
    sizes
        Boxes to fit it into, such as ``"160x120"``.

    Raises
    ------
    FileNotFoundError, NotAPicture, ValueError
        As of ``resize_image``; nothing is written if a size is none.
    """
    for size in sizes:
        parse_size(size)
    return [resize_image(image_path, size) for size in sizes]


@app.task(resend_if_lost=True)
def picker_import_item_task(url: str, sizes: Sequence[str] = THUMBNAILS) -> Imported:
    """Import one picture: download it, and make its thumbnails.

    A second run writes the same files again. So it may be sent again when its worker has died.

    Parameters
    ----------
    url
        Where it lies.
    sizes
        Of the thumbnails.

    Raises
    ------
    DownloadFailed, NotAPicture, ValueError
        As of ``download_image`` and ``resize_image``.
    """
    path = download_image(url)
    thumbnails = thumbs_generate_task(path, sizes)
    logger.info("imported %s", Path(path).name)
    return Imported(url=url, path=path, thumbnails=thumbnails)


def import_picked(session: str, urls: Sequence[str], sizes: Sequence[str] = THUMBNAILS) -> list[str]:
    """Begin an import: a job, and a task for each picture; return the tasks' ids.

    Parameters
    ----------
    session
        Name of the job, used once.
    urls
        Where the pictures lie.
    sizes
        Of the thumbnails.

    Raises
    ------
    JobExists
        An import of that name was begun before.
    """
    from labtasks.records.jobs import start_job

    start_job(session, "picker import", len(urls))
    return [
        picker_import_item_task.apply_async((url, list(sizes)), headers={"job": session}).id for url in urls
    ]
