"""What the checks of lesson 1-1 share: a customer at the learner's site, and who worked for them."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx
from celery.exceptions import TimeoutError as NoResult

from celerylab import lab
from celerylab.errors import LabError
from celerylab.views.runs import Run
from exercises.results import done_at

PARTNER_TAKES = 1.0  # s; the site's own work takes far less
PATIENCE = 30.0  # s
NO_WORKER = (
    "The bundled worker ran no task within {seconds:g} s. Does it run? `lab.bundled.start()` starts it again."
)


@dataclass(frozen=True)
class Visit:
    """One request to the learner's site, and what it set off.

    Attributes
    ----------
    status
        HTTP status of the answer.
    answer
        Its JSON; an empty dictionary if it holds none.
    runs
        The tasks that the worker ran for it.
    told
        What the partner got.
    early
        Whether the answer came before the last of the tasks had ended.
    log
        The last line that the site wrote.
    """

    status: int
    answer: dict[str, Any]
    runs: list[Run]
    told: list[object]
    early: bool
    log: str


def visit(module: str, path: str, order: Mapping[str, object]) -> Visit:
    """Serve the learner's module, send it one request, and see what the worker does for it."""
    partner = lab.webhook(delay=PARTNER_TAKES)
    with (
        patch.dict(os.environ, PARTNER_URL=partner.url),
        lab.serve(f"{module}:app") as site,
        lab.watch() as seen,
    ):
        answer = httpx.post(f"{site.url}{path}", json=order, timeout=PATIENCE)
        answered = time.time()
        # a task behind those of the site: once its events are here, so are theirs
        last = lab.client.send_task("labtasks.basics.add", (0, 0), queue="labtasks")
        try:
            last.get(timeout=PATIENCE)
        except NoResult:
            raise LabError(NO_WORKER.format(seconds=PATIENCE)) from None
    runs = [run for run in seen if run.id != last.id]
    partner.stop()
    return Visit(
        status=answer.status_code,
        answer=_content(answer),
        runs=runs,
        told=[request.body for request in partner.requests],
        early=any(answered < done_at(run) for run in runs),
        log=str(site.log(last=1)),
    )


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
