"""Runs every lesson with several versions of Celery and both brokers: what ``make test-matrix`` does.

Each version gets an environment of its own in ``.matrix``: all that requirements.lock pins, but for
Celery and what Celery asks for, which are resolved anew. Outputs are compared to the letter, so a
cell that "differs" may still be right there: the lessons' tables say what those versions do.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from celerylab import course

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".matrix"
UV = Path(sys.executable).with_name("uv")
VERSIONS = ("5.5", "5.6", "5.7")
OLDEST_REDIS = 8
# what one version of Celery fixes, and another may not have
CELERYS_OWN = ("amqp", "billiard", "celery", "kombu", "redis", "vine")
PINNED = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?:.*\\\n)*.*\n(?: +#.*\n)*", re.MULTILINE)
SERVER = re.compile(r"v=(\d+)\.")


@dataclass
class Run:
    """All lessons with one version of Celery and one broker.

    Attributes
    ----------
    celery
        The version as it was installed: "5.6.3".
    broker
        "Valkey" or "Redis 8".
    cells
        How many cells of a lesson were run, by the notebook's stem.
    different
        The cells that failed or showed something else, by the notebook's stem.
    """

    celery: str
    broker: str
    cells: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    different: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def verdict(self, stem: str) -> str:
        """Say in a word or two what became of a lesson."""
        if not self.cells[stem]:
            return "not run"
        count = len(self.different[stem])
        return f"{count} of {self.cells[stem]} cells" if count else "passes"


def environment(version: str) -> Path:
    """Make the environment of one version; return its Python."""
    folder = FOLDER / f"celery-{version}"
    python = folder / "bin" / "python"
    if not python.exists():
        call(UV, "venv", "-q", "--python", sys.executable, folder)
    rest = FOLDER / "rest.lock"
    lock = (ROOT / "requirements.lock").read_text()
    rest.write_text(PINNED.sub(lambda pin: "" if pin["name"] in CELERYS_OWN else pin[0], lock))
    install = [UV, "pip", "install", "-q", "--python", python]
    call(*install, "--no-deps", "--require-hashes", "-r", rest)
    call(*install, f"celery[redis]=={version}.*")
    call(*install, "--no-deps", "--no-build-isolation", "-e", ROOT)
    return python


def run(python: Path, broker: str, server: str | None, workers: str, only: list[str]) -> Run:
    """Run the lessons, several at a time."""
    told = subprocess.run(
        [python, "-c", "import celery; print(celery.__version__)"], check=True, capture_output=True, text=True
    )
    done = Run(told.stdout.strip(), broker)
    name = f"celery-{done.celery}-{broker.lower().replace(' ', '-')}"
    report = FOLDER / f"{name}.xml"
    print(f"Celery {done.celery} with {broker} …", flush=True)
    notebooks = [str(path) for path in chosen(only)]
    given = {"CELERYLAB_BROKER_SERVER": server} if server else {}
    options = ["--nbval", "-n", workers, "--nbval-sanitize-with=tests/notebooks/matrix.cfg"]
    with (FOLDER / f"{name}.log").open("w") as log:
        subprocess.run(
            [python, "-m", "pytest", "-p", "tests.startup", *options, f"--junitxml={report}", *notebooks],
            cwd=ROOT,
            env=os.environ | given,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    for case in ElementTree.parse(report).iter("testcase"):
        # "notebooks.phase1.1_1_why_a_queue.ipynb"
        stem = (case.get("classname") or "").removesuffix(".ipynb").rpartition(".")[2]
        done.cells[stem] += 1
        if case.find("failure") is not None or case.find("error") is not None:
            done.different[stem].append(case.get("name") or "")
    return done


def chosen(only: list[str]) -> list[Path]:
    """Return the notebooks of the lessons whose names hold one of the given parts; of all, for none."""
    stems = [lesson.notebook for lesson in course.lessons()]
    return [path for path in stems if not only or any(part in path.name for part in only)]


def table(runs: list[Run], only: list[str]) -> str:
    """Lay the runs out as Markdown, a lesson a row; then name the cells that differ."""
    head = ["lesson", *(f"Celery {each.celery}, {each.broker}" for each in runs)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for path in chosen(only):
        verdicts = [each.verdict(path.stem) for each in runs]
        lines.append("| " + " | ".join([path.stem, *verdicts]) + " |")
    for each in runs:
        lines += [
            f"Celery {each.celery}, {each.broker}: {stem}: {', '.join(names)}"
            for stem, names in sorted(each.different.items())
            if names
        ]
    return "\n".join(lines)


def redis_server(given: str | None) -> str | None:
    """Return the path of a Redis 8, or None, said on stderr."""
    path = shutil.which(given or "redis-server")
    if path:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        version = SERVER.search(told)
        if version and int(version[1]) >= OLDEST_REDIS:
            return path
    found = f"{path} is no Redis {OLDEST_REDIS}" if path else f"there is no {given or 'redis-server'}"
    print(
        f"Without Redis: {found}. Install Redis {OLDEST_REDIS} or newer, "
        "or name it: make test-matrix REDIS=/path/to/redis-server",
        file=sys.stderr,
    )
    return None


def call(*command: str | Path) -> None:
    """Run a command; end the program if it fails."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(f"This failed: {' '.join(map(str, command))}")


def main() -> int:
    """Run the matrix, print it, and return 1 if a cell differs anywhere."""
    parser = argparse.ArgumentParser(prog="make test-matrix", description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="parts of notebooks' names; all, for none")
    parser.add_argument("--celery", nargs="+", default=VERSIONS, metavar="5.6", help="versions of Celery")
    parser.add_argument("--redis", metavar="PATH", help="a redis-server, version 8 or newer")
    parser.add_argument("--workers", default="5", help="lessons at a time")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    redis = redis_server(options.redis)
    brokers = [("Valkey", None), *([("Redis 8", redis)] if redis else [])]
    runs = []
    for version in options.celery:
        python = environment(version)
        runs += [run(python, name, server, options.workers, options.only) for name, server in brokers]
    print(table(runs, options.only))
    return int(any(names for each in runs for names in each.different.values()))


if __name__ == "__main__":
    sys.exit(main())
