"""Exercise 2-5b: a chord that survives bad pictures, and no mistakes."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from celery.canvas import Signature

from celerylab import lab
from celerylab.stack.worker import Worker
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.phase2 import site_2_5
from exercises.phase2.plans import send, shown

TITLE = "Let a chord survive"

TEXT = """
`plan` in `tasks_2_5b.py` makes thumbnails, and ends with the first bad picture. Change `thumbnail`,
and complete `report(results, hook)`, so that a plan with bad pictures ends well. `report` posts one
request to `hook`: `{"uploaded": 2, "failed": {address: name of the exception's class}}`, with how many
thumbnails were uploaded, and every picture that could not be downloaded or read.

A mistake of the caller must still fail the plan, and `report` must not run then.

`check` starts a worker with two processes. It sends a plan for five addresses: two photos, one that was
cut short, one that is gone, and a page. Each needs a task of its own. Then it sends a plan for the same
addresses whose destination, `"bucket"`, is no address. It counts tasks, files, and requests.
"""

HINTS = [
    "What does a task of a header have to return, so that the body can tell a bad picture from an upload?",
    "`images.NotAPicture` and `downloads.DownloadFailed` are the two that speak of a picture.",
    "`UploadRefused`, of a destination that is none, is a `ValueError`, as `NotAPicture` is.",
    '`except (downloads.DownloadFailed, images.NotAPicture) as error: return {"address": address, "error": '
    "type(error).__name__}`, and something that is no dictionary for an upload.",
]

FEEDBACK = {
    "right": "{uploaded} thumbnails in the bucket, {failed} bad pictures reported. The mistake still failed.",
    "no_plan": "`tasks_2_5b.py` has no function `plan`.",
    "no_canvas": "`plan` returned {found!r}, and not a signature that could be sent.",
    "not_ended": (
        "A plan did not end, and the worker has nothing left to do. These tasks ran: {ran}. Did each task "
        "of the header return something?"
    ),
    "failed": "The plan for five addresses failed: {error}. These tasks ran: {ran}.",
    "wrong_tasks": "For five addresses these tasks ran: {ran}. Each address needs a task of its own.",
    "wrong_files": "The bucket holds {files} thumbnails; 2 of the five addresses are photos.",
    "wrong_requests": "The plan ended, and the webhook got {found} requests. These tasks ran: {ran}.",
    "wrong_told": "The webhook got {found}. Expected was {expected}.",
    "swallowed": (
        "The plan with the destination 'bucket' ended with {state}, and the webhook got {found}. Nothing "
        "was uploaded. Which exceptions does your `except` catch?"
    ),
}

MODULE = """%%writefile tasks_2_5b.py
import os

import httpx
from celery import Celery, chord
from celery.exceptions import Ignore

from labtasks import downloads, images

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_5b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-5b"


@app.task
def thumbnail(address, destination):
    try:
        path = images.download_image(address)
        small = images.resize_image(path, "160x120")
        return images.upload_image(small, destination)
    except {caught}:
        {then}


@app.task
def report(results, hook):
    uploaded = [each for each in results if {good}]
    failed = {{each["address"]: each["error"] for each in results if {bad}}}
    httpx.post(hook, json={{"uploaded": len(uploaded), "failed": failed}}, timeout=10)


def plan(addresses, destination, hook):
    return {plan}
"""


def _module(
    caught: str = "(downloads.DownloadFailed, images.NotAPicture) as error",
    then: str = 'return {"address": address, "error": type(error).__name__}',
    good: str = "isinstance(each, str)",
    bad: str = "not isinstance(each, str)",
    plan: str = "chord([thumbnail.s(address, destination) for address in addresses], report.s(hook))",
) -> str:
    return MODULE.format(caught=caught, then=then, good=good, bad=bad, plan=plan)


SOLUTION = _module()

WRONG = {
    "swallowed": [
        _module(caught="Exception as error"),
        _module(caught="(downloads.DownloadFailed, ValueError) as error"),
    ],
    "failed": [
        _module(caught="images.NotAPicture as error"),
        _module(caught="Exception", then="pass"),
        _module(
            caught="ZeroDivisionError",
            then="pass",
            plan=(
                "chord([thumbnail.s(address, destination) for address in addresses], report.s(hook))"
                ".on_error(report.si([], hook))"
            ),
        ),
    ],
    "not_ended": _module(caught="(downloads.DownloadFailed, images.NotAPicture)", then="raise Ignore"),
    "wrong_told": [
        _module(then="return None", good="each", bad="False"),
        _module(then='return {"address": address, "error": "DownloadFailed"}'),
        _module(good="each"),
    ],
    "wrong_tasks": _module(
        plan=(
            "chord([thumbnail.s(each, destination) for each in addresses if httpx.get(each).is_success],"
            " report.s(hook))"
        ),
    ),
}

QUEUE = "exercise-2-5b"
GOOD = ("photos/1.jpg", "photos/2.jpg")
BAD = {"photos/broken.jpg": "NotAPicture", "photos/99.jpg": "PictureMissing", "?list": "NotAPicture"}
PATHS = (GOOD[0], *BAD, GOOD[1])
NO_ADDRESS = "bucket"

Plan = Callable[[str, str], Any]


def check(answer: str) -> Outcome:
    """Send a plan with bad pictures, and one with a mistake."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "plan"):
        return not_right("no_plan")
    lab.redis.delete(QUEUE)
    with lab.serve(site_2_5.TARGET) as site, lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker:
        plan = partial(call, module.plan, [f"{site.url}/{path}" for path in PATHS])
        return _with_bad_pictures(plan, worker, site.url) or _with_mistake(plan, worker)


def _with_bad_pictures(plan: Plan, worker: Worker, url: str) -> Outcome | None:
    hook = lab.webhook()
    with tempfile.TemporaryDirectory() as folder:
        canvas = plan(f"file://{folder}", f"{hook.url}/done")
        if not isinstance(canvas, Signature):
            return not_right("no_canvas", found=canvas)
        sent = send(canvas, worker, QUEUE)
        files = len(list(Path(folder).iterdir()))
    if not sent.ended:
        return not_right("not_ended", ran=sent.ran)
    if sent.error is not None:
        return not_right("failed", error=shown(sent.error), ran=sent.ran)
    if len(sent.of("thumbnail")) != len(PATHS):
        return not_right("wrong_tasks", ran=sent.ran)
    if files != len(GOOD):
        return not_right("wrong_files", files=files)
    if len(hook) != 1:
        return not_right("wrong_requests", found=len(hook), ran=sent.ran)
    expected = {"uploaded": len(GOOD), "failed": {f"{url}/{path}": name for path, name in BAD.items()}}
    if hook.requests[0].body != expected:
        return not_right("wrong_told", found=shown(hook.requests[0].body), expected=shown(expected))
    return None


def _with_mistake(plan: Plan, worker: Worker) -> Outcome:
    hook = lab.webhook()
    sent = send(plan(NO_ADDRESS, f"{hook.url}/done"), worker, QUEUE)
    if not sent.ended:
        return not_right("not_ended", ran=sent.ran)
    if sent.error is None or len(hook):
        state = "SUCCESS" if sent.error is None else "FAILURE"
        told = shown(hook.requests[0].body) if len(hook) else "no request"
        return not_right("swallowed", state=state, found=told)
    return right(uploaded=len(GOOD), failed=len(BAD))
