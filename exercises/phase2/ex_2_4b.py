"""Exercise 2-4b: a chord that ends, whatever is in its header."""

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.phase2.plans import EVENTS, ends

TITLE = "Let it end whatever comes"

TEXT = """
`plan(parcels)` in `tasks_2_4b.py` weighs parcels and loads a van. A parcel without a label makes
the chord hang. Change `weigh`, and complete `load(weights)`, so that every plan ends well.

`load` returns a dictionary: `loaded`, how many parcels with a label there were; `kilograms`, what
they weigh together; `left`, how many had no label. `check` sends a plan with four parcels, two of
them without a label, and one of no parcels at all. Each parcel must be weighed by a task of its own.
"""

HINTS = [
    "What does a task of a header have to do so that the count in Redis goes on?",
    "`weigh` can return something that is no weight. `load` gets it, in its place in the list.",
    "`return None` instead of `raise Ignore`, and `[each for each in weights if each is not None]`.",
]

FEEDBACK = {
    "right": "Four parcels were weighed, and the van has {found}.",
    "no_plan": "`tasks_2_4b.py` has no function `plan`.",
    "hangs": (
        "The plan did not end. These tasks ran: {ran}. In Redis, {came_in} of {size} values came in, and no "
        "task is left that could bring another."
    ),
    "failed": "The plan for {n} parcels failed: {error}. These tasks ran: {ran}.",
    "wrong_tasks": "For four parcels `weigh` ran {weighed} times, and `load` {loaded} times.",
    "wrong": "For {n} parcels `load` returned {found!r}, and not {expected!r}. It was called with {args}.",
}

MODULE = """%%writefile tasks_2_4b.py
import os

from celery import Celery, chord
from celery.exceptions import Ignore

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_4b", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-4b"


@app.task
def weigh(parcel):
    if "label" not in parcel:
        {unlabelled}
    return parcel["grams"] / 1000


@app.task
def load(weights):
    known = [weight for weight in weights if {known}]
    return {{"loaded": len(known), "kilograms": sum(known), "left": len(weights) - len(known)}}


def plan(parcels):
    return chord([weigh.s(parcel) for parcel in {parcels}], load.s())
"""


def _module(
    unlabelled: str = "return None", known: str = "weight is not None", parcels: str = "parcels"
) -> str:
    return MODULE.format(unlabelled=unlabelled, known=known, parcels=parcels)


SOLUTION = _module()

WRONG = {
    "hangs": [_module(unlabelled="raise Ignore"), _module(unlabelled="raise Ignore", known="weight")],
    "failed": [
        _module(unlabelled='raise ValueError("no label")'),
        _module(known="True"),
    ],
    "wrong_tasks": _module(parcels='[each for each in parcels if "label" in each]'),
    "wrong": [_module(unlabelled="return 0"), _module(known="weight")],
}

QUEUE = "exercise-2-4b"
PARCELS = [
    {"label": "Paris", "grams": 500},
    {"grams": 700},
    {"label": "Oslo", "grams": 0},
    {"grams": 100},
]
LOADED = {"loaded": 2, "kilograms": 0.5, "left": 2}
NOTHING = {"loaded": 0, "kilograms": 0, "left": 0}
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Send both plans, and see how each ends."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "plan"):
        return not_right("no_plan")
    lab.redis.delete(QUEUE)
    with lab.worker(answer, concurrency=2, queues=[QUEUE]) as worker:
        for parcels, expected in ((PARCELS, LOADED), ([], NOTHING)):
            with lab.watch(wait=EVENTS) as seen:
                result = call(module.plan, parcels).apply_async()
                ended = ends(result, worker, QUEUE, TIMEOUT)
            names = [run.task.rpartition(".")[2] for run in seen]
            ran = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
            if not ended:
                return _hangs(result.parent.id, ran)
            found = result.result
            if isinstance(found, Exception):
                return not_right("failed", n=len(parcels), error=repr(found), ran=ran)
            weighed, loaded = names.count("weigh"), names.count("load")
            if parcels and (weighed, loaded) != (len(parcels), 1):
                return not_right("wrong_tasks", weighed=weighed, loaded=loaded)
            if found != expected:
                args = next(run.args for run in seen if run.task.endswith("load"))
                return not_right("wrong", n=len(parcels), found=found, expected=expected, args=args)
    return right(found=LOADED)


def _hangs(header: str, ran: str) -> Outcome:
    key = f"celery-taskset-meta-{header}"
    size = int(lab.redis.get(f"{key}.s") or 0)
    return not_right("hangs", ran=ran, came_in=lab.redis.zcard(f"{key}.j"), size=size)
