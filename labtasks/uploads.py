"""Files to a bucket: a folder, or any storage that fsspec knows."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    import fsspec

ADDRESS = re.compile(r"/|(file|local):///|(?!file:|local:)[a-z][a-z0-9+.-]*://")
EXAMPLES = "a folder such as /tmp/bucket, or an address such as file:///tmp/bucket or s3://bucket/images/"


class UploadRefused(ValueError):
    """The destination is none, or the worker lacks what it takes to reach it."""


def upload(source: Path, destination: str) -> str:
    """Copy a file into a folder of a storage, under its own name; replace what is there.

    Parameters
    ----------
    source
        The file.
    destination
        The folder: a whole path, or an address of fsspec such as ``s3://bucket/images/``.

    Returns
    -------
    str
        Address of the copy, whatever form the destination had: ``file:///tmp/bucket/photo.jpg``.

    Raises
    ------
    UploadRefused
        The destination is no whole path and no address, its protocol is unknown, or the
        package for its protocol is not installed.
    FileNotFoundError
        There is no such file.
    """
    storage, folder = _storage(destination)
    if not source.is_file():
        raise FileNotFoundError(f"No such file: {source}")
    if storage.protocol[0] == "file":  # in buckets, folders are no more than names
        storage.makedirs(folder, exist_ok=True)
    target = f"{folder}/{source.name}"
    try:
        storage.put_file(str(source), target)
    except (NotImplementedError, ValueError):  # so say the storages that can be read only
        raise UploadRefused(f"{destination} can be read only. Give {EXAMPLES}.") from None
    return str(storage.unstrip_protocol(target))


def read(address: str) -> BinaryIO:
    """Open what was uploaded."""
    import fsspec

    return cast(BinaryIO, fsspec.open(address, "rb").open())


def _storage(destination: str) -> "tuple[fsspec.AbstractFileSystem, str]":
    import fsspec  # 0.1 s at a worker's start that only uploads need

    # a relative path would be another folder for each worker
    if not ADDRESS.match(destination):
        raise UploadRefused(f"{destination!r} is no destination. Give {EXAMPLES}.")
    try:
        storage, folder = fsspec.core.url_to_fs(destination)
    except ImportError as error:
        raise UploadRefused(
            f"{destination} cannot be reached from this worker: {error}. "
            "Do that where the worker runs, and start it again."
        ) from None
    except (ValueError, TypeError) as error:
        raise UploadRefused(f"{destination} cannot be reached: {error}. Give {EXAMPLES}.") from None
    return storage, folder
