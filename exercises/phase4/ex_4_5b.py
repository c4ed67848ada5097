"""Exercise 4-5b: a test that passes with a right task, and fails with each of two wrong ones."""

import contextlib
import importlib
import io
import os
import sys
from pathlib import Path

import pytest

from celerylab import lab
from exercises import Outcome, learners_code, not_attempted, not_right, right, unfinished

TITLE = "Write the test that finds the bug"

TEXT = """
Write the test `test_towns` in `test_4_5b.py`. Somebody else maintains `parcels_4_5b.py`. Its task
`towns(parcels)` takes pairs of a town and a weight, and returns the towns, each once, sorted.

`check` runs your test with three versions of that module: with the right one it must pass. The two others
work when they are called as a function, and fail behind a queue. With them, your test must fail.
"""

HINTS = [
    "A direct call and eager mode see neither of the two bugs.",
    '`with lab.worker("parcels_4_5b", concurrency=1):`, and inside `delay(...).get(timeout=5)`.',
    "Compare the result with a list.",
]

FEEDBACK = {
    "right": "It passed with the right module, and failed with both wrong ones.",
    "no_test": "There is no test in `{name}.py`. pytest looks for functions whose name begins with `test_`.",
    "failed": "With the right module your test failed: {problem}",
    "missed": (
        "One of the modules {bug}. Your test passed with it. "
        "Which part of the way to a worker did it leave out?"
    ),
}

HEAD = """import os
import time

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("parcels_4_5b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-4-5b"
"""
RIGHT = """

@app.task
def towns(parcels):
    return sorted({town for town, weight in parcels})
"""
BUGS = {
    "makes a set of pairs, which come as lists": """

@app.task
def towns(parcels):
    return sorted({town for town, weight in set(parcels)})
""",
    "has a time limit that is shorter than its work": """

@app.task(soft_time_limit=0.1)
def towns(parcels):
    time.sleep(0.5)
    return sorted({town for town, weight in parcels})
""",
}
PARCELS = '[("Kyoto", 2), ("Osaka", 1), ("Kyoto", 5)]'


def _cells(test: str) -> str:
    return (
        f"%%writefile parcels_4_5b.py\n{HEAD}{RIGHT}\n# %%\n%%writefile test_4_5b.py\n"
        f"import parcels_4_5b\n\nfrom celerylab import lab\n\n{test}"
    )


def _test(body: str, name: str = "test_towns") -> str:
    return _cells(f"\ndef {name}():\n    parcels = {PARCELS}\n    {body}\n")


WORKER = """with lab.worker("parcels_4_5b", concurrency=1) as worker:
        result = parcels_4_5b.towns.delay(parcels)
        try:
            assert result.get(timeout=5) == {expected}
        finally:
            worker.kill()"""
LIST, SET = '["Kyoto", "Osaka"]', '{"Kyoto", "Osaka"}'

SOLUTION = _test(WORKER.format(expected=LIST))

WRONG = {
    "missed": [
        _test(f"assert parcels_4_5b.towns(parcels) == {LIST}"),
        _test(
            "parcels_4_5b.app.conf.task_always_eager = True\n"
            f"    assert parcels_4_5b.towns.delay(parcels).get() == {LIST}"
        ),
    ],
    "failed": _test(f"assert parcels_4_5b.towns(parcels) == {SET}"),
    "no_test": _test(f"assert parcels_4_5b.towns(parcels) == {LIST}", name="towns"),
}

MODULE = "parcels_4_5b"
QUEUE = "exercise-4-5b"


def check(answer: str) -> Outcome:
    """Run the learner's test with a right module and with two wrong ones, in its place."""
    if unfinished(answer):
        return not_attempted()
    place = Path(f"{MODULE}.py")
    try:
        place.write_text(HEAD + RIGHT)
        ran = _run(answer)
        if not ran.passed and not ran.problems:
            return not_right("no_test", name=answer)
        if ran.problems:
            return not_right("failed", problem=ran.problems[0])
        for bug, body in BUGS.items():
            place.write_text(HEAD + body)
            if not _run(answer).problems:
                return not_right("missed", bug=bug)
        return right()
    finally:
        place.write_text(HEAD + RIGHT)
        lab.redis.delete(QUEUE)


class _Ran:
    """What pytest tells of a run."""

    def __init__(self) -> None:
        self.passed = 0
        self.problems: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how a test ended; called by pytest."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.problems.append(str(crash.message if crash else report.longrepr).partition("\n")[0])
        elif report.when == "call" and report.passed:
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file could not be read; called by pytest."""
        if report.failed:
            self.problems.append(str(report.longrepr).strip().splitlines()[-1])


def _run(answer: str) -> _Ran:
    for name in (MODULE, answer):  # imported anew, from the file as it is now
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    lab.redis.delete(QUEUE)
    ran = _Ran()
    options = [
        "-c",
        os.devnull,
        "--noconftest",
        "--rootdir",
        ".",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:terminal",
    ]
    with learners_code(), contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*options, f"{answer}.py"], plugins=[ran])
    return ran
