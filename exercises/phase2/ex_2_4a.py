"""Exercise 2-4a: a chord, with a body that takes any list."""

from celery.canvas import Signature
from celery.result import ResultBase

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Find the longest page"

TEXT = """
In `tasks_2_4a.py`, complete `plan(pages)`, which returns a chord and sends nothing: `count_words`
for each page, and behind them `longest`. Complete the task `longest(counts)`, too: it returns the
place of the page with the most words, from 0, and `None` if there are no pages.

`check` starts a worker with two processes. It sends the plan for three pages, then for no page at
all, and looks at which tasks ran with which arguments.
"""

HINTS = [
    "The header is a list of signatures, one for each page. The body gets a list of numbers.",
    "`counts.index(max(counts))` is the place of the largest.",
    "What does `max([])` do? The body of a chord runs for an empty header, too.",
]

FEEDBACK = {
    "right": "Three pages: page {found}. No page: None. `longest` ran once for each plan.",
    "no_plan": "`tasks_2_4a.py` has no function `plan`.",
    "sent": "`plan` has sent its tasks already, and returned a result. Return the chord itself.",
    "no_canvas": "`plan` returned {found!r}, and not a signature that could be sent.",
    "failed": "The plan for {pages!r} failed: {error}. These tasks ran: {ran}.",
    "wrong_tasks": (
        "For three pages these tasks ran: {ran}. A chord runs each task of its header, and its body once."
    ),
    "wrong": (
        "The plan for {pages!r} returned {found!r}, and not {expected!r}. `longest` was called with {args}."
    ),
}

MODULE = """%%writefile tasks_2_4a.py
import os

from celery import Celery, chord, group

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_4a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-4a"


@app.task
def count_words(page):
    return len(page.split())


@app.task
def longest(counts):
    {body}


def plan(pages):
    return {plan}
"""


def _module(
    body: str = "return counts.index(max(counts)) if counts else None",
    plan: str = "chord([count_words.s(page) for page in pages], longest.s())",
) -> str:
    return MODULE.format(body=body, plan=plan)


SOLUTION = _module()

WRONG = {
    "failed": [
        _module(body="return counts.index(max(counts))"),
        _module(plan="chord([count_words.s(page) for page in pages], longest.si())"),
    ],
    "wrong": [
        _module(body="return max(counts) if counts else None"),
        _module(body="return counts.index(max(counts)) if counts else 0"),
        _module(plan="group(count_words.s(page) for page in pages)"),
    ],
    "wrong_tasks": [
        _module(plan="longest.s([len(page.split()) for page in pages])"),
        _module(plan="group(count_words.s(page) | longest.s() for page in pages)").replace(
            "if counts", "if isinstance(counts, list) and counts"
        ),
    ],
    "sent": _module(plan="chord([count_words.s(page) for page in pages])(longest.s())"),
    "no_canvas": _module(plan="longest([count_words(page) for page in pages])"),
}

QUEUE = "exercise-2-4a"
PAGES = ["one two", "one two three", "one"]
LONGEST = 1
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Send both plans, and look at what ran."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "plan"):
        return not_right("no_plan")
    lab.redis.delete(QUEUE)
    with lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker:
        for pages, expected in ((PAGES, LONGEST), ([], None)):
            with lab.watch() as seen:
                plan = call(module.plan, pages)
                if isinstance(plan, ResultBase):
                    return not_right("sent")
                if not isinstance(plan, Signature):
                    return not_right("no_canvas", found=plan)
                result = plan.apply_async()
                lab.follow(result, timeout=TIMEOUT)
                worker.until(running=0, reserved=0)  # its events come after its results
            names = [run.task.rpartition(".")[2] for run in seen]
            ran = ", ".join(f"{n} {name}" for name in dict.fromkeys(names) if (n := names.count(name)))
            found = result.get(timeout=TIMEOUT, propagate=False)
            if isinstance(found, Exception):
                return not_right("failed", pages=pages, error=repr(found), ran=ran)
            if pages and sorted(names) != ["count_words"] * len(pages) + ["longest"]:
                if "longest" not in names:
                    return not_right("wrong", pages=pages, found=found, expected=expected, args="nothing")
                return not_right("wrong_tasks", ran=ran)
            if found != expected:
                args = next((run.args for run in seen if run.task.endswith("longest")), "nothing")
                return not_right("wrong", pages=pages, found=found, expected=expected, args=args)
    return right(found=LONGEST)
