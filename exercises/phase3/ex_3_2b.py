"""Exercise 3-2b: a health check of Beat, judged on a Beat that runs, hangs and is gone."""

import signal
import time
from collections.abc import Callable
from typing import Any

from celerylab import lab
from celerylab.stack.beat import Beat
from exercises import Outcome, call, not_attempted, not_right, right, unfinished

TITLE = "Write Beat's health check"

TEXT = """
Write `is_well(app, node)`, which says whether the Beat of this node name answers: `True` or `False`.
`app` is a Celery app on the lab's broker.

`check` starts a Beat of its own, `probed@lab`, and calls your function four times: while Beat runs;
while its process is stopped (SIGSTOP) and so hangs; when it runs again; and after it was killed. The
bundled worker runs all the while, and it answers pings, too. No call may take longer than 5 seconds.
"""

HINTS = [
    "`app.control.inspect(...).ping()` returns a dictionary of the answers, by node name, or None.",
    "Who else is on this broker? `inspect(destination=[...])` asks the nodes that you name.",
    "A Beat that answers takes some milliseconds, and on a busy machine more. One second is a good timeout.",
]

FEEDBACK = {
    "right": "Right four times: {said}.",
    "no_function": "The lab got {found}. Hand over the function itself, without calling it.",
    "no_bool": "While Beat was {state}, `is_well` returned {found}, which is neither True nor False.",
    "false_hope": (
        "Beat was {state}, and `is_well` said True. Asked without a destination, these answer: {others}."
    ),
    "false_alarm": "Beat was {state}, and `is_well` said False. {tried} answers a ping within a second.",
    "too_slow": "While Beat was {state}, `is_well` took {seconds:.0f} seconds.",
}

SOLUTION = """
def is_well(app, node):
    answers = app.control.inspect(destination=[node], timeout=1).ping()
    return bool(answers)
"""

WRONG = {
    "false_hope": [
        """
def is_well(app, node):
    return bool(app.control.inspect().ping())
""",
        """
def is_well(app, node):
    return app.control.ping(destination=[node], timeout=1) is not None
""",
    ],
    "false_alarm": [
        """
def is_well(app, node):
    return bool(app.control.inspect(destination=[node], timeout=1).active())
""",
        """
def is_well(app, node):
    return "celerybeat" in (app.control.inspect(timeout=1).ping() or {})
""",
    ],
    "no_bool": """
def is_well(app, node):
    return app.control.inspect(destination=[node], timeout=1).ping()
""",
    "raised": """
def is_well(app, node):
    return app.control.inspect(timeout=1).ping()[node] == {"ok": "pong"}
""",
}

NAME = "probed"
RUNS, HANGS, AGAIN, GONE = "running", "stopped", "running again", "killed"
EXPECTED = {RUNS: True, HANGS: False, AGAIN: True, GONE: False}
SLOWEST = 5.0  # s
PATIENCE = 10.0  # s
PAUSE = 0.1  # s


def check(answer: Callable[[Any, str], object]) -> Outcome:
    """Call the learner's function while Beat is in one state after the other."""
    if not callable(answer):
        return not_right("no_function", found=repr(answer))
    if unfinished(answer):
        return not_attempted()
    beat = lab.beat("labtasks.app:app", name=NAME, env={"CELERYLAB_PERIODIC_SECONDS": "3600"})
    try:
        for state in EXPECTED:
            _bring(beat, state)
            found, seconds = _asked(answer, beat, state)
            if not isinstance(found, bool):
                return not_right("no_bool", state=state, found=repr(found))
            if found != EXPECTED[state]:
                return _wrong(state, found, beat)
            if seconds > SLOWEST:
                return not_right("too_slow", state=state, seconds=seconds)
    finally:
        beat.kill()
    said = ", ".join(f"{state}: {found}" for state, found in EXPECTED.items())
    return right(said=said)


def _asked(answer: Callable[[Any, str], object], beat: Beat, state: str) -> tuple[object, float]:
    """Call the learner's function; return its answer, and how many seconds it took.

    Where Beat is well, a ``False`` may be an accident: Beat is late on a busy machine, or its late
    answer to the ping before comes first, and then kombu looks no further. So it is asked again.
    Source: ``Mailbox._collect`` in ``kombu/pidbox.py``, which reads one message for each destination.
    """
    deadline = time.monotonic() + (PATIENCE if EXPECTED[state] else 0)
    while True:
        began = time.monotonic()
        found = call(answer, lab.client, beat.node)
        ended = time.monotonic()
        if found is not False or ended > deadline:
            return found, ended - began
        time.sleep(PAUSE)


def _bring(beat: Beat, state: str) -> None:
    if state == HANGS:
        beat.signal(signal.SIGSTOP)
    elif state == AGAIN:
        beat.signal(signal.SIGCONT)
    elif state == GONE:
        beat.kill()


def _wrong(state: str, found: bool, beat: Beat) -> Outcome:
    if found:
        others = ", ".join(sorted(lab.client.control.inspect(timeout=1).ping() or {})) or "none"
        return not_right("false_hope", state=state, others=others)
    return not_right("false_alarm", state=state, tried=beat.node)
