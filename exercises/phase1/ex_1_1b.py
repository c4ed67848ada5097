"""Exercise 1-1b: keep what the answer needs in the handler, send the rest."""

from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase1.shop_1_1 import visit

TITLE = "Keep what the answer needs"

TEXT = """
Complete `site_1_1b.py`. The answer holds the total of the prices, which is
`process_data(prices)["total"]`. The partner gets `{"total": total}`, through `call_slow_api`.

Both are tasks. One of them belongs in a message, the other is called here, like a function.

`check` serves your site, with a partner that takes 1 second, and sends three prices. It looks at
the total in the answer, at what the partner got, at which tasks the worker ran, and at what came
first, the answer or the end of those tasks.
"""

HINTS = [
    "What would the answer hold if nobody had added up the prices yet?",
    "A task without `delay` is a function: it runs in the site and returns its value.",
    "The total with a call, the partner with `delay`.",
]

FEEDBACK = {
    "right": (
        "The site added up the prices itself and answered {total}. The worker told the partner, and "
        "the customer did not wait for that."
    ),
    "status": "The site answered with status {status}, not 200. The last line of its log: {log}",
    "wrong_total": "The answer says that the total is {found!r}; it is {expected}. Was it known by then?",
    "total_by_worker": (
        "The worker added up the prices, and the site waited for the sum. While the worker is away, "
        "this site has no answer. Is it slow enough work to give away?"
    ),
    "called_here": (
        "The partner was told, but not by the worker: it ran no call_slow_api. The customer waited for "
        "the partner."
    ),
    "partner_missing": "The partner was not told anything.",
    "wrong_payload": "The partner got {found}. It should get {expected}.",
    "waited": "The site answered only after the partner had been told. Which line waits for it?",
}

MODULE = """%%writefile site_1_1b.py
import os

from flask import Flask, request

from labtasks.basics import process_data
from labtasks.partners import call_slow_api

app = Flask(__name__)


@app.post("/checkout")
def checkout():
    prices = request.json["prices"]
    total = process_data(prices)["total"]
    call_slow_api.delay(os.environ["PARTNER_URL"], {"total": total})
    return {"total": total}
"""

SOLUTION = MODULE

CALL = '    call_slow_api.delay(os.environ["PARTNER_URL"], {"total": total})\n'
SUM = 'process_data(prices)["total"]'

WRONG = {
    "status": [
        MODULE.replace(SUM, "process_data.delay(prices)"),
        MODULE.replace(SUM, 'process_data.delay(prices)["total"]'),
    ],
    "wrong_total": MODULE.replace(SUM, "process_data.delay(prices).id"),
    "total_by_worker": MODULE.replace(SUM, 'process_data.delay(prices).get(timeout=10)["total"]'),
    "called_here": MODULE.replace(".delay", ""),
    "partner_missing": MODULE.replace(CALL, ""),
    "wrong_payload": MODULE.replace('{"total": total})', '{"prices": prices})'),
    "waited": MODULE.replace('{"total": total})', '{"total": total}).get(timeout=10)'),
}

PRICES = (30, 12, 8)
EXPECTED = {"total": sum(PRICES)}


def check(answer: str) -> Outcome:
    """Buy something at the learner's site, and look at who did what."""
    if unfinished(answer):
        return not_attempted()
    seen = visit(answer, "/checkout", {"prices": PRICES})
    tasks = {run.task.rpartition(".")[2] for run in seen.runs}
    if seen.status != 200:
        return not_right("status", status=seen.status, log=seen.log)
    if seen.answer.get("total") != EXPECTED["total"]:
        return not_right("wrong_total", found=seen.answer.get("total"), expected=EXPECTED["total"])
    if "process_data" in tasks:
        return not_right("total_by_worker")
    if not seen.told:
        return not_right("partner_missing")
    if "call_slow_api" not in tasks:
        return not_right("called_here")
    if seen.told != [EXPECTED]:
        return not_right("wrong_payload", found=", ".join(map(str, seen.told)), expected=EXPECTED)
    return right(total=EXPECTED["total"]) if seen.early else not_right("waited")
