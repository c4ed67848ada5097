"""Exercise 1-1a: let the worker call the partner, and answer the customer at once."""

from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase1.shop_1_1 import visit

TITLE = "Answer at once"

TEXT = """
Change `site_1_1a.py`: the worker calls the partner, with the same arguments, and the site answers
at once. Its answer holds the id of the task that it sent: `{"task": "…"}`.

`check` serves your site, with a partner that takes 1 second, and sends one order. It looks at who
called the partner and with what, at what came first, the site's answer or the end of the task, and
at the id.
"""

HINTS = [
    "Called like a function, a task runs where it is called. Which process is that here?",
    "`delay` takes the arguments of the function, and what it returns knows its id.",
    "Keep what `delay` returns: `result = call_slow_api.delay(…)`. The id is `result.id`.",
]

FEEDBACK = {
    "right": "The site answered while the partner was still busy, and the call was made by the worker.",
    "status": "The site answered with status {status}, not 200. The last line of its log: {log}",
    "called_here": (
        "The partner was told, but the worker ran nothing. The site made the call itself, and the customer "
        "waited for it."
    ),
    "nothing_sent": (
        "The site answered, but no message was sent and the partner heard nothing. Is everything there "
        "that makes a call a call?"
    ),
    "waited": (
        "The worker called the partner, but the site answered only after the task had ended. Which line "
        "of the handler waits for it?"
    ),
    "wrong_payload": "The partner got {found}. For order 7 it should get {expected}.",
    "twice": "The partner was told {n} times of one order. Which lines of the handler call it?",
    "wrong_id": "The answer holds {found!r} under `task`. The worker ran no task of that id.",
}

MODULE = """%%writefile site_1_1a.py
import os

from flask import Flask, request

from labtasks.partners import call_slow_api

app = Flask(__name__)


@app.post("/order")
def order():
    payload = {"order": request.json["number"]}
    result = call_slow_api.delay(os.environ["PARTNER_URL"], payload)
    return {"task": result.id}
"""

SOLUTION = MODULE

WRONG = {
    "called_here": MODULE.replace(".delay(", "(").replace("result.id", '"done"'),
    "status": [
        MODULE.replace("result.id", "result"),
        MODULE.replace('os.environ["PARTNER_URL"], payload', "payload"),
    ],
    "nothing_sent": MODULE.replace('.delay(os.environ["PARTNER_URL"], payload)', ".delay").replace(
        "result.id", "str(result)"
    ),
    "waited": MODULE.replace("    return", "    result.get(timeout=10)\n    return"),
    "wrong_payload": MODULE.replace(", payload)", ", request.json)"),
    "twice": MODULE.replace(
        "    result =", '    call_slow_api(os.environ["PARTNER_URL"], payload)\n    result ='
    ),
    "wrong_id": MODULE.replace("result.id", "result.state"),
}

ORDER = {"number": 7}
EXPECTED = {"order": 7}


def check(answer: str) -> Outcome:
    """Order something at the learner's site, and look at who did what."""
    if unfinished(answer):
        return not_attempted()
    seen = visit(answer, "/order", ORDER)
    if seen.status != 200:
        return not_right("status", status=seen.status, log=seen.log)
    if not seen.runs:
        return not_right("called_here" if seen.told else "nothing_sent")
    if len(seen.told) > 1:
        return not_right("twice", n=len(seen.told))
    if seen.told != [EXPECTED]:
        found = ", ".join(map(str, seen.told)) or "nothing"
        return not_right("wrong_payload", found=found, expected=EXPECTED)
    if not seen.early:
        return not_right("waited")
    found_id = seen.answer.get("task")
    if found_id not in {run.id for run in seen.runs}:
        return not_right("wrong_id", found=found_id)
    return right()
