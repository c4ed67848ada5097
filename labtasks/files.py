"""Files that several processes read and write at the same time."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPOOL = "dead-letters"  # below the work folder: what waits there until its store is back


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes ``target`` when the block ends without an error.

    Whoever reads ``target`` meanwhile finds it whole: as it was, or as it is after the block.
    """
    # a name of its own for each, so that two tasks may write the same target
    draft = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
