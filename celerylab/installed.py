"""The doctor's checks of what is installed: Python, packages, the kernel, the widgets."""

import importlib.metadata
import json
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_core.paths import jupyter_path
from packaging.markers import Marker
from packaging.requirements import Requirement

from celerylab import texts
from celerylab.course import ROOT
from celerylab.finding import Finding, note, ok, wrong

OLDEST_PYTHON = (3, 11)
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))?(?: \\)?$", re.MULTILINE
)
WIDGETS = "labextensions/@jupyter-widgets/jupyterlab-manager/package.json"


def python() -> Finding:
    """Check Python's own version."""
    found = texts.PYTHON.format(version=platform.python_version())
    if sys.version_info[:2] < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return wrong(found, texts.PYTHON_MEND.format(oldest=oldest))
    return ok(found + ", " + texts.PLATFORM.format(system=platform.system(), machine=platform.machine()))


def packages(lock: Path = ROOT / "requirements.lock") -> Finding:
    """Compare the installed packages with those that the lock pins for this platform."""
    missing = [name for name in _required() if _installed(name) is None]
    if missing:
        return wrong(texts.PACKAGES_MISSING.format(names=", ".join(missing)), texts.REINSTALL)
    if not lock.exists():
        return note(texts.NO_LOCK, texts.REINSTALL)
    # The lock pins the tests' packages too: one that is not installed is not missed.
    pinned = {name: version for name, version in _pinned(lock) if _installed(name) is not None}
    differ = [
        texts.PACKAGE_DIFFERS.format(name=name, found=_installed(name), pinned=version)
        for name, version in pinned.items()
        if _installed(name) != version
    ]
    if differ:
        return note(texts.PACKAGES_DIFFER.format(names=", ".join(differ)), texts.REINSTALL)
    return ok(texts.PACKAGES.format(count=len(pinned)))


def kernel() -> Finding:
    """Check that notebooks run on this environment's Python."""
    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec("python3")
    except NoSuchKernel:
        return wrong(texts.NO_KERNEL, texts.REINSTALL)
    python = spec.argv[0]
    # Jupyter itself puts its own interpreter in the place of a bare name like this.
    if re.fullmatch(r"python[\d.]*", python) or Path(python).absolute() == Path(sys.executable).absolute():
        return ok(texts.KERNEL)
    mend = texts.OTHER_KERNEL_MEND.format(folder=spec.resource_dir)
    return wrong(texts.OTHER_KERNEL.format(python=python), mend)


def widgets() -> Finding:
    """Check that JupyterLab can show ipywidgets."""
    for folder in jupyter_path():
        manifest = Path(folder) / WIDGETS
        if manifest.exists() and json.loads(manifest.read_text(encoding="utf-8")).get("name"):
            return ok(texts.WIDGETS)
    return wrong(texts.NO_WIDGETS, texts.REINSTALL)


def _required() -> Iterator[str]:
    for line in importlib.metadata.requires("celery-lab") or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": "course"}):
            yield requirement.name


def _pinned(lock: Path) -> Iterator[tuple[str, str]]:
    for pin in PIN.finditer(lock.read_text(encoding="utf-8")):
        if pin["marker"] is None or Marker(pin["marker"]).evaluate():
            yield pin["name"], pin["version"]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
