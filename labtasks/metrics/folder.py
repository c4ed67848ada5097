"""Metrics of several processes: each writes files of its own in one folder, the main process reads all.

Source: "Multiprocess Mode" in prometheus-client's documentation, and its ``multiprocess.py``. That
leaves to its user the files of dead processes, of which a worker that renews its processes makes
two with each.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

PREFIX = "labtasks-metrics-"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus-client
GONE = "gone"  # in the name of the files that hold what dead processes have counted
KINDS = ("counter", "histogram")
# the library has types, but not here
_Values: Any = MultiProcessValue
_Collector: Any = MultiProcessCollector
_File: Any = MmapedDict


class Folder:
    """The folder of one worker, gone when the worker ends.

    A worker that was killed leaves its folder; the next that starts removes it. Made before the
    pool is, and before any metric.
    """

    def __init__(self) -> None:
        _sweep()
        draft = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}"))
        # held as long as any process of this worker lives
        self._lock = os.open(draft / "lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # only now under the name that others look for
        self.path = draft.replace(draft.with_name(draft.name.removeprefix("new-")))
        self._owner = os.getpid()
        os.environ[VARIABLE] = str(self.path)
        # chosen when the library was loaded, perhaps before the folder was known
        values.ValueClass = _Values()
        atexit.register(self.remove)

    def collect(self) -> list[Metric]:
        """Add up what all processes have counted, the dead ones' too."""
        self._fold()
        return _merged(self.path.glob("*.db"), accumulate=True)

    def remove(self) -> None:
        """Remove the folder, if it is this process's own."""
        if os.getpid() == self._owner:
            shutil.rmtree(self.path, ignore_errors=True)

    def _fold(self) -> None:
        """Put the files of dead processes into one of each kind."""
        for kind in KINDS:
            files = {path.stem.partition("_")[2]: path for path in self.path.glob(f"{kind}_*.db")}
            dead = [path for name, path in files.items() if name != GONE and not _lives(int(name))]
            if not dead:
                continue
            together = [*dead, *([files[GONE]] if GONE in files else [])]
            draft = self.path / f"{uuid.uuid4().hex}.draft"
            _write(draft, _merged(together, accumulate=False))
            draft.replace(self.path / f"{kind}_{GONE}.db")
            for path in dead:
                path.unlink()


def _lives(process: int) -> bool:
    # the system is asked, not the pool: its list changes while another thread reads it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # none has the id, or somebody else's
        return False
    return True


def _merged(files: Iterable[Path], accumulate: bool) -> list[Metric]:
    # a process makes its file empty; for a moment, or for ever if it is killed then, there is nothing to read
    written = [str(path) for path in files if path.stat().st_size]
    return list(_Collector.merge(written, accumulate=accumulate))


def _write(path: Path, metrics: Iterable[Metric]) -> None:
    file = _File(str(path))
    for metric in metrics:
        for sample in metric.samples:
            labels = sample.labels
            key = mmap_key(
                metric.name, sample.name, list(labels), list(labels.values()), metric.documentation
            )
            file.write_value(key, sample.value, 0.0)
    file.close()


def _sweep() -> None:
    """Remove the folders of workers that were killed: nobody holds their locks."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(path / "lock", os.O_RDWR)
        except OSError:  # somebody else's, or gone by now
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass  # its worker lives
        finally:
            os.close(lock)
