"""The learner's copy of the notebooks, in a volume: renewed with the image, never overwritten."""

import hashlib
import json
import shutil
from pathlib import Path

MANIFEST = ".published.json"  # which version of each file the learner was given


def renew(published: Path, own: Path) -> list[str]:
    """Copy what is new into the learner's folder; return the names of the files copied.

    A file that the learner has changed, or removed, stays as it is.

    Parameters
    ----------
    published
        The folder of the image.
    own
        The folder of the volume.
    """
    manifest = own / MANIFEST
    given: dict[str, str] = json.loads(manifest.read_text()) if manifest.exists() else {}
    copied = []
    for source in sorted(path for path in published.rglob("*") if path.is_file()):
        name = source.relative_to(published).as_posix()
        target = own / name
        fresh = _digest(source)
        present = _digest(target) if target.exists() else None
        if fresh != given.get(name) and present == given.get(name):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            given[name] = fresh
            copied.append(name)
    manifest.write_text(json.dumps(given))
    return copied


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
