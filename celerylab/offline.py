"""The course with its packages in one folder, for a room without internet."""

import platform
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from celerylab import texts
from celerylab.course import ROOT
from celerylab.errors import LabError
from celerylab.machines import Platform, Python

WHEELS = "wheels"  # install.py looks for it beside itself
GLIBC = range(5, 29)  # wheels for any of these run on glibc 2.28, the oldest that the course runs on
MACOS = ("11_0", "12_0", "13_0", "14_0")
# the lock may pin one package differently for an early and a late release of one Python
FIRST, LAST = 0, 99
PIN = re.compile(r"^\S.*\n(?: .*\n)*", re.MULTILINE)  # a package with its hashes
OLD_LINUX = ("manylinux1", "manylinux2010", "manylinux2014")
# as uv names them
RESOLVED_AS = {
    Platform.LINUX_X86_64: "x86_64-manylinux_2_28",
    Platform.LINUX_AARCH64: "aarch64-manylinux_2_28",
    Platform.MACOS_ARM64: "aarch64-apple-darwin",
    Platform.MACOS_X86_64: "x86_64-apple-darwin",
}
NOT_COPIED = (".venv", ".matrix", "__pycache__", ".ipynb_checkpoints", ".*_cache", "*.egg-info", WHEELS)


class BundleFailed(LabError):
    """The folder could not be made."""


def this_platform() -> Platform:
    """Return the platform that this process runs on."""
    if sys.platform == "darwin":
        return Platform.MACOS_ARM64 if platform.machine() == "arm64" else Platform.MACOS_X86_64
    return Platform.LINUX_AARCH64 if platform.machine() in ("aarch64", "arm64") else Platform.LINUX_X86_64


def this_python() -> Python:
    """Return the Python that this process runs."""
    return Python(f"{sys.version_info.major}.{sys.version_info.minor}")


def bundle(folder: Path, platforms: Sequence[Platform], pythons: Sequence[Python]) -> Iterator[str]:
    """Make the folder; yield what was done, a line a step. A run that was interrupted goes on where it was.

    Parameters
    ----------
    folder
        Where; a new folder, or one that an earlier run began.
    platforms, pythons
        What its machines are; each platform with each Python.

    Raises
    ------
    BundleFailed
        The folder holds something else, or a package could not be downloaded; with what said so.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "install.py").exists():
        raise BundleFailed(texts.BUNDLE_TAKEN.format(folder=folder))
    if not (folder / "install.py").exists():
        _copy_course(folder)
    yield texts.BUNDLE_COURSE.format(folder=folder)
    wheels = folder / WHEELS
    wheels.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        needed = Path(scratch, "needed.txt")
        for system in platforms:
            for version in pythons:
                yield texts.BUNDLE_DOWNLOADING.format(platform=system, python=version)
                known: set[str] = set()
                for full in (f"{version}.{FIRST}", f"{version}.{LAST}"):
                    _resolve(needed, system, full)
                    pins = set(PIN.findall(needed.read_text())) - known
                    known |= pins
                    needed.write_text("".join(sorted(pins)))
                    if pins:
                        _download(needed, wheels, system, full)
    files = list(wheels.glob("*.whl"))
    size = sum(path.stat().st_size for path in files) // 2**20
    yield texts.BUNDLE_DONE.format(count=len(files), size=size, folder=folder)


def _copy_course(folder: Path) -> None:
    """Copy what is committed, as a clone; or, where there is no git, the files as they are."""
    if shutil.which("git") and (ROOT / ".git").exists():
        _call("git", "clone", "-q", "--depth=1", f"file://{ROOT}", folder)
        origin = subprocess.run(
            ["git", "-C", ROOT, "remote", "get-url", "origin"], capture_output=True, text=True, check=False
        ).stdout.strip()
        change = ("set-url", "origin", origin) if origin else ("remove", "origin")
        _call("git", "-C", folder, "remote", *change)
    else:
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)


def _resolve(needed: Path, system: Platform, version: str) -> None:
    """Write what the lock pins for one platform and one Python, with hashes."""
    extras = runpy.run_path(str(ROOT / "install.py"))["COURSE"] | {"install"}
    _call(
        Path(sys.executable).with_name("uv"),
        *("pip", "compile", "-q", "--no-header", "--no-annotate", "--generate-hashes"),
        *("--python-platform", RESOLVED_AS[system], "--python-version", version),
        *(word for extra in sorted(extras) for word in ("--extra", extra)),
        *("-c", ROOT / "requirements.lock", "-o", needed, ROOT / "pyproject.toml"),
    )


def _download(needed: Path, wheels: Path, system: Platform, version: str) -> None:
    _call(
        *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "-r", needed, "-d", wheels),
        *("--implementation", "cp", "--python-version", version),
        *(word for tag in _tags(system) for word in ("--platform", tag)),
    )


def _tags(platform_: Platform) -> Iterable[str]:
    """List the tags of wheels that run on a platform, the newest first."""
    system, _, machine = platform_.partition("-")
    if system == "macos":
        tags = [f"macosx_{version}_{machine}" for version in reversed(MACOS)]
        return [*tags, "macosx_10_15_x86_64"] if machine == "x86_64" else tags
    return [f"manylinux_2_{minor}_{machine}" for minor in reversed(GLIBC)] + [
        f"{tag}_{machine}" for tag in reversed(OLD_LINUX)
    ]


def _call(*command: str | Path) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BundleFailed(texts.BUNDLE_NO_TOOL.format(tool=command[0])) from None
    if done.returncode:
        raise BundleFailed(
            texts.BUNDLE_FAILED.format(
                tool=Path(command[0]).name, problem=(done.stderr or done.stdout).strip()
            )
        )
