"""Exercise 1-3a: find where in the broker a task is."""

from collections.abc import Callable
from uuid import uuid4

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished

TITLE = "Say where a task is"

TEXT = """
Write `where_is(task_id, queue)`. It looks into the broker and returns one of four words:

- `"waiting"`: the message is in the list of `queue`;
- `"taken"`: a worker has the message, and has not acknowledged it;
- `"stored"`: the result backend holds something for this id;
- `"nowhere"`: none of these.

`check` sends four tasks to one queue and takes one of them, without acknowledging it. It asks you
for each of the four, for an id that nobody sent, for a task that the bundled worker has run, and
for the same one again after `forget()`.
"""

HINTS = [
    "Three places: a list named after the queue, the hash `unacked`, the key `celery-task-meta-…`.",
    '`redis.lrange(queue, 0, -1)` and `redis.hvals("unacked")` return all that is there, as bytes.',
    "An entry of `unacked` is a JSON list whose first item is the message. In a message, the id is "
    '`["headers"]["id"]`.',
]

FEEDBACK = {
    "right": "{n} questions, and each task was found where the broker had it.",
    "unknown_id": (
        "For an id that nobody sent, it returned {found!r}, and the broker held nothing of that id. "
        "What does the state PENDING tell you, and what does it not?"
    ),
    "wrong_place": (
        "For the task {task_id!r} it returned {found!r}, where {expected!r} is right. In the list lay, "
        "from left to right, {listed}; in `unacked` lay {unacked}. How does your function come from these "
        "to its answer?"
    ),
    "wrong_stored": (
        "For a task that {what} it returned {found!r}, where {expected!r} is right. Under which key does "
        "the backend keep a result?"
    ),
}

HEAD = """
import json

from celerylab import lab


"""

SOLUTION = f"""{HEAD}def where_is(task_id, queue):
    redis = lab.redis
    waiting = [json.loads(raw) for raw in redis.lrange(queue, 0, -1)]
    taken = [json.loads(raw)[0] for raw in redis.hvals("unacked")]
    if any(message["headers"]["id"] == task_id for message in waiting):
        return "waiting"
    if any(message["headers"]["id"] == task_id for message in taken):
        return "taken"
    return "stored" if redis.exists(f"celery-task-meta-{{task_id}}") else "nowhere"
"""

WRONG = {
    "unknown_id": f"""{HEAD}def where_is(task_id, queue):
    state = lab.client.AsyncResult(task_id).state
    return {{"PENDING": "waiting", "STARTED": "taken"}}.get(state, "stored")
""",
    "wrong_place": [
        SOLUTION.replace("redis.lrange(queue, 0, -1)", "redis.lrange(queue, 0, 0)"),
        SOLUTION.replace('message["headers"]["id"] == task_id', "task_id in json.dumps(message)"),
        SOLUTION.replace('redis.hvals("unacked")', "[]"),
    ],
    "wrong_stored": SOLUTION.replace("celery-task-meta-{task_id}", "{task_id}"),
    "raised": SOLUTION.replace("json.loads(raw)[0]", "json.loads(raw)"),
}

IDS = ("parcel-1", "parcel-2", "parcel-3", "parcel-10")  # one is the beginning of another
TIMEOUT = 10.0  # s


def check(answer: Callable[[str, str], str]) -> Outcome:
    """Put tasks into each of the places, and ask the learner's function for them."""
    if unfinished(answer):
        return not_attempted()
    queue = f"exercise-1-3a-{uuid4()}"
    with lab.client.connection_for_write() as connection:
        for task_id in IDS:
            lab.client.send_task("parcel", task_id=task_id, queue=queue)
        channel = connection.default_channel
        taken = channel.basic_get(queue)
        try:
            outcome = _ask_broker(answer, queue)
        finally:
            channel.basic_ack(taken.delivery_tag)
            lab.redis.delete(queue)
    return outcome or _ask_backend(answer, queue) or right(n=len(IDS) + 3)


def _ask_broker(answer: Callable[[str, str], str], queue: str) -> Outcome | None:
    found = call(answer, str(uuid4()), queue)
    if found != "nowhere":
        return not_right("unknown_id", found=found)
    taken, *waiting = IDS
    for task_id, expected in [(taken, "taken"), *((task_id, "waiting") for task_id in waiting)]:
        found = call(answer, task_id, queue)
        if found != expected:
            listed = ", ".join(reversed(waiting))
            return not_right(
                "wrong_place", task_id=task_id, found=found, expected=expected, listed=listed, unacked=taken
            )
    return None


def _ask_backend(answer: Callable[[str, str], str], queue: str) -> Outcome | None:
    result = lab.client.send_task("labtasks.basics.add", args=(2, 3), queue="labtasks")
    result.get(timeout=TIMEOUT)
    for what, expected in (("the bundled worker has run", "stored"), ("was forgotten", "nowhere")):
        found = call(answer, result.id, queue)
        if found != expected:
            return not_right("wrong_stored", what=what, found=found, expected=expected)
        result.forget()
    return None
