"""Exercise 2-5a: a chord whose chains end in a group."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from celery.canvas import Signature
from celery.result import ResultBase

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.phase2 import site_2_5
from exercises.phase2.plans import send, shown

TITLE = "Make two sizes of one download"

TEXT = """
In `tasks_2_5a.py`, complete `plan(addresses, destination, hook)`, which returns a canvas and sends
nothing. Once it is sent, each picture is downloaded once and uploaded in both `SIZES`, each made from
the picture as it was downloaded. When all are uploaded, `tell` posts one request to `hook`. Complete
`tell(results, hook)`, too. What it posts is `{"uploaded": [...]}`, one flat list with the address of
every upload, in any order.

`check` starts a worker with two processes, and a server of photos. It sends the plan for three pictures,
and counts the downloads, the files in the bucket, and the requests at the webhook.
"""

HINTS = [
    "In a chain, a group may follow a task. Each task of the group gets the value of the step before.",
    "The group has a small chain for each size. Both begin with the path of the same download.",
    "A group returns a list. What does the body of a chord get, if each chain of its header ends in a group?",
    "`download.s(address) | group(resize.s(size) | upload.s(destination) for size in SIZES)` is one picture.",
]

FEEDBACK = {
    "right": "{downloads} downloads, {files} files in the bucket, and one request with {files} addresses.",
    "no_plan": "`tasks_2_5a.py` has no function `plan`.",
    "sent": "`plan` has sent its tasks already, and returned a result. Return the canvas itself.",
    "no_canvas": "`plan` returned {found!r}, and not a signature that could be sent.",
    "not_ended": "The plan did not end, and the worker has nothing left to do. These tasks ran: {ran}.",
    "failed": "The plan failed: {error}. These tasks ran: {ran}.",
    "wrong_downloads": (
        "For {n} pictures the server was asked {asked} times. How many chains of your canvas begin with "
        "`download`?"
    ),
    "wrong_files": (
        "The bucket holds {files}. For {n} pictures it should hold {expected}. These tasks ran: {ran}."
    ),
    "wrong_requests": "The webhook got {found} requests. These tasks ran: {ran}.",
    "wrong_told": "The webhook got {found} and not one flat list. `tell` was called with {args}.",
}

MODULE = """%%writefile tasks_2_5a.py
import os

import httpx
from celery import Celery, chord, group

from labtasks import images

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_5a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-5a"
SIZES = ["800x600", "160x120"]


@app.task
def download(address):
    return images.download_image(address)


@app.task
def resize(path, size):
    return images.resize_image(path, size)


@app.task
def upload(path, destination):
    return images.upload_image(path, destination)


@app.task
def tell(results, hook):
    httpx.post(hook, json={{"uploaded": {uploaded}}}, timeout=10)


def picture(address, destination):
    return {picture}


def plan(addresses, destination, hook):
    return {plan}
"""


def _module(
    uploaded: str = "[one for each in results for one in each]",
    picture: str = ("download.s(address) | group(resize.s(size) | upload.s(destination) for size in SIZES)"),
    plan: str = "chord([picture(address, destination) for address in addresses], tell.s(hook))",
) -> str:
    return MODULE.format(uploaded=uploaded, picture=picture, plan=plan)


SOLUTION = _module()

EACH_SIZE = "download.s(address) | resize.s(size) | upload.s(destination)"

WRONG = {
    "wrong_downloads": _module(
        uploaded="results",
        plan=(f"chord([{EACH_SIZE} for address in addresses for size in SIZES], tell.s(hook))"),
    ),
    "wrong_told": _module(uploaded="results"),
    "wrong_requests": [
        _module(
            uploaded="results",
            plan="group(picture(address, destination) | tell.s(hook) for address in addresses)",
        ),
        _module(plan="group(picture(address, destination) for address in addresses)"),
    ],
    "wrong_files": [
        _module(
            uploaded="results",
            picture="download.s(address) | resize.s(SIZES[0]) | resize.s(SIZES[1]) | upload.s(destination)",
        ),
        _module(
            uploaded="results",
            picture="download.s(address) | resize.s(SIZES[0]) | upload.s(destination)",
        ),
    ],
    "failed": [
        _module(
            picture=(
                "download.s(address) | resize.s(SIZES[0]) | upload.s(destination)"
                " | resize.s(SIZES[1]) | upload.s(destination)"
            )
        ),
        _module(
            picture="download.s(address) | group(resize.s(size) for size in SIZES) | upload.s(destination)"
        ),
    ],
    "sent": _module(plan="chord([picture(address, destination) for address in addresses])(tell.s(hook))"),
}

QUEUE = "exercise-2-5a"
PHOTOS = ("photos/1.jpg", "photos/2.jpg", "photos/3.jpg")
SIZES = ("800x600", "160x120")


def check(answer: str) -> Outcome:
    """Send the plan, and count at the server, in the bucket and at the webhook."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "plan"):
        return not_right("no_plan")
    lab.redis.delete(QUEUE)
    hook = lab.webhook()
    with (
        tempfile.TemporaryDirectory() as folder,
        lab.serve(site_2_5.TARGET) as site,
        lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker,
    ):
        addresses = [f"{site.url}/{path}" for path in PHOTOS]
        plan = call(module.plan, addresses, f"file://{folder}", f"{hook.url}/done")
        if isinstance(plan, ResultBase):
            return not_right("sent")
        if not isinstance(plan, Signature):
            return not_right("no_canvas", found=plan)
        sent = send(plan, worker, QUEUE)
        asked = len(httpx.get(f"{site.url}/asked").json())
        files = sorted(path.name for path in Path(folder).iterdir())
    if not sent.ended:
        return not_right("not_ended", ran=sent.ran)
    if sent.error is not None:
        return not_right("failed", error=shown(sent.error), ran=sent.ran)
    if asked != len(PHOTOS):
        return not_right("wrong_downloads", n=len(PHOTOS), asked=asked)
    sizes = Counter(name.removesuffix(".jpg").partition("_")[2] for name in files)
    expected = dict.fromkeys(SIZES, len(PHOTOS))
    if sizes != expected:
        found, wanted = _counted(sizes), _counted(expected)
        return not_right("wrong_files", n=len(PHOTOS), files=found, expected=wanted, ran=sent.ran)
    if len(hook) != 1:
        return not_right("wrong_requests", found=len(hook), ran=sent.ran)
    body = hook.requests[0].body
    if not _told_all(body, [f"file://{folder}/{name}" for name in files]):
        args = next((run.args for run in sent.of("tell")), "nothing")
        return not_right("wrong_told", found=shown(body), args=shown(args))
    return right(downloads=asked, files=len(files))


def _told_all(body: Any, addresses: list[str]) -> bool:
    told = body.get("uploaded") if isinstance(body, dict) and len(body) == 1 else None
    return (
        isinstance(told, list) and all(isinstance(each, str) for each in told) and sorted(told) == addresses
    )


def _counted(sizes: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"{n} of {size}" for size, n in sorted(sizes.items(), reverse=True)) or "nothing"
