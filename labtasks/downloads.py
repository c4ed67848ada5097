"""Files from the web."""

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from labtasks.files import replacing
from labtasks.http import trust

if TYPE_CHECKING:
    import httpx

LIMIT = 20 * 2**20  # bytes
LONGEST_STEM = 40  # characters, so that the whole name stays far below what file systems take


class DownloadFailed(Exception):
    """The server could not be reached, or did not answer with the file."""


class PictureMissing(DownloadFailed):
    """The server answers that there is no such file: to ask again will not help."""


def download(url: str, folder: Path, timeout: float) -> Path:
    """Write what is at an address into a folder.

    Parameters
    ----------
    url
        ``http://`` or ``https://``; redirects are followed.
    folder
        Made if it is not there.
    timeout
        Seconds that the server may be silent.

    Returns
    -------
    Path
        The file, whole: nobody sees it while it is being written.

    Raises
    ------
    DownloadFailed
        There is no such server, it answered with an error, or the file is larger than ``LIMIT``.
    PictureMissing
        It answered that there is no such file, or no longer.
    """
    import httpx  # 0.1 s at a worker's start that only downloads need

    folder.mkdir(parents=True, exist_ok=True)
    try:
        target = folder / file_name(url)
        with (
            replacing(target) as draft,
            httpx.stream("GET", url, timeout=timeout, follow_redirects=True, verify=trust()) as answer,
        ):
            _check(url, answer)
            _write(url, answer, draft)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = str(error) or type(error).__name__  # some timeouts say nothing
        raise DownloadFailed(f"{url} cannot be downloaded: {what}") from None
    return target


def file_name(url: str) -> str:
    """Return a name that can be read, such as ``mountain-3f9a0c1b2d4e5f60.jpg``.

    It is the same for the same address, another for every other one, and no path: what is not a
    letter, a digit, ``_`` or ``-`` is left out.
    """
    import httpx

    last = PurePosixPath(httpx.URL(url).path)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", last.stem).strip("-")[:LONGEST_STEM] or "picture"
    suffix = last.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,5}", last.suffix) else ""
    return f"{stem}-{hashlib.sha256(url.encode()).hexdigest()[:16]}{suffix}"


def _check(url: str, answer: "httpx.Response") -> None:
    said = f"{url} answered {answer.status_code} {answer.reason_phrase}".strip()
    if answer.status_code in (404, 410):
        raise PictureMissing(said)
    if not answer.is_success:
        raise DownloadFailed(said)
    if int(answer.headers.get("Content-Length", 0)) > LIMIT:
        raise _too_large(url)


def _write(url: str, answer: "httpx.Response", draft: Path) -> None:
    written = 0
    with draft.open("xb") as file:
        for part in answer.iter_bytes():
            written += len(part)
            if written > LIMIT:  # not every server tells the length beforehand, or the truth
                raise _too_large(url)
            file.write(part)


def _too_large(url: str) -> DownloadFailed:
    return DownloadFailed(f"{url} is larger than {LIMIT // 2**20} MiB, the most that is downloaded")
