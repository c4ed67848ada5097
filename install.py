"""Makes .venv: the course's Python packages, as requirements.lock pins them.

``make`` calls it before every target. It runs on whatever ``python3`` is, however
old, so that it can say what is missing: keep its syntax to what Python 2.7 reads.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys

OLDEST = (3, 11)
KNOWN = ("python3.13", "python3.14", "python3.12", "python3.11")
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(HERE, "requirements.lock")
COURSE = {"course", "flower", "mail", "web"}
# `celerylab doctor --offline-bundle` puts the packages here, for a room without internet
WHEELS = os.path.join(HERE, "wheels")
STAMP = os.path.join(VENV, "celery-lab-installed")
DOCKER = (
    'docker run -it --rm -p 127.0.0.1:8888:8888 -v "$PWD":/lab -w /lab '
    "python:3.13 make lab HOST=0.0.0.0 BROWSER=0"
)


def refuse(line):
    sys.stderr.write("Celery Lab: " + line + "\n")
    sys.exit(1)


def check_platform():
    machine = platform.machine().lower()
    if sys.platform == "darwin" and machine in ("arm64", "x86_64"):
        return
    if sys.platform.startswith("linux") and machine in ("x86_64", "aarch64", "arm64"):
        libc, version = platform.libc_ver()
        if libc == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 28):
            return
        system = "this Linux (it needs glibc 2.28 or newer; Alpine has musl)"
    else:
        system = "%s on %s" % (platform.system(), machine)
    refuse("the embedded broker does not run on %s. Use Docker: %s" % (system, DOCKER))


def newer_python():
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in KNOWN:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and runs(path):
                return path
    return None


def runs(path):
    """A version manager's shim is there for Pythons that are not installed, too."""
    with open(os.devnull, "w") as nowhere:
        return subprocess.call([path, "-c", "import venv"], stdout=nowhere, stderr=nowhere) == 0


def check_python():
    if sys.version_info >= OLDEST:
        return
    better = newer_python()
    if better:
        os.execv(better, [better] + sys.argv)
    refuse(
        "Python %s is too old, 3.11 or newer is needed. Install one (python.org) and run "
        "`make lab PYTHON=/path/to/python3`, or use Docker: %s" % (platform.python_version(), DOCKER)
    )


def wanted(extras):
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml", "install.py"):
        with open(os.path.join(HERE, name), "rb") as source:
            digest.update(source.read())
    return digest.hexdigest() + "".join(" " + extra for extra in sorted(extras))


def installed():
    if not (os.path.exists(STAMP) and os.path.exists(PYTHON)):
        return "", set()
    with open(STAMP) as stamp:
        words = stamp.read().split()
    return (words[0], set(words[1:])) if words else ("", set())


def pinned(name):
    """The lines of the lock that pin one package, hashes included."""
    with open(LOCK) as lock:
        found = re.search(r"^%s==(?:.*\\\n)*.*\n" % re.escape(name), lock.read(), re.M)
    if not found:
        refuse("requirements.lock does not pin %s. Run `make lock`." % name)
    return found.group(0)


def run(*command):
    status = subprocess.call(command, cwd=HERE)
    if status:
        refuse(
            "could not install: `%s` ended with status %d (its message is above)"
            % (" ".join(command), status)
        )


def install(extras):
    source = ["--no-index", "--find-links", WHEELS] if os.path.isdir(WHEELS) else []
    where = "wheels" if source else "the internet"
    print("Installing Celery Lab's packages from %s into .venv (once; about a minute)" % where)
    sys.stdout.flush()
    if not os.path.exists(PYTHON):
        run(sys.executable, "-m", "venv", VENV)
    uv = os.path.join(VENV, "bin", "uv")
    if not os.path.exists(uv):
        needed = os.path.join(VENV, "uv.txt")
        with open(needed, "w") as requirements:
            requirements.write(pinned("uv"))
        run(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", "-r", needed, *source)
    # uv checks the hashes of a constraints file for every package that it names
    pip = [uv, "pip", "install", "-q", "--python", PYTHON, "-c", LOCK] + source
    run(*pip + ["hatchling", "editables"])
    run(*pip + ["--no-build-isolation", "-e", ".[%s]" % ",".join(sorted(extras))])


def main():
    extras = COURSE.union(sys.argv[1:])
    check_python()
    check_platform()
    digest, present = installed()
    if digest == wanted(()) and extras <= present:
        return
    extras |= present
    install(extras)
    with open(STAMP, "w") as stamp:
        stamp.write(wanted(extras))


if __name__ == "__main__":
    main()
