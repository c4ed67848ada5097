"""Exercise 1-2a: write a module with a task, for a worker of its own."""

from celerylab import lab
from exercises import Outcome, not_attempted, not_right, right, unfinished

TITLE = "Write a task of your own"

TEXT = """
Write `tasks_1_2a.py`: a Celery app, and a task named `tasks_1_2a.celsius` that turns degrees
Fahrenheit into degrees Celsius: `(fahrenheit - 32) * 5 / 9`.

`check` starts a worker for the module, sends the task by its name with 32, 212 and -40, and
reads the results from the result backend.
"""

HINTS = [
    "Compare it with `tasks_1_2.py`: which two things does that file have that this one has not?",
    "The app needs `broker=url` and `backend=url`; the function needs `@app.task` above it.",
    'A task is named after its module and its function: `Celery("tasks_1_2a", …)` and `def celsius`.',
]

FEEDBACK = {
    "right": "The worker ran it three times: 32 °F is 0 °C, 212 °F is 100 °C, -40 is the same in both.",
    "not_registered": (
        "The worker has no task tasks_1_2a.celsius. It has: {tasks}. What makes a function a task, and "
        "where does its name come from?"
    ),
    "no_backend": (
        "The worker ran the task, but stored no result: its result backend is {backend}. Look at "
        "what `Celery(...)` is given."
    ),
    "wrong_value": "For {fahrenheit} °F the worker stored {found!r}; it is {expected} °C. Look at what the "
    "function returns.",
}

MODULE = """%%writefile tasks_1_2a.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_1_2a", broker=url, backend=url)


@app.task
def celsius(fahrenheit):
    return (fahrenheit - 32) * 5 / 9
"""

SOLUTION = MODULE

WRONG = {
    "not_registered": [
        MODULE.replace("@app.task\n", ""),
        MODULE.replace("def celsius", "def to_celsius"),
    ],
    "no_backend": MODULE.replace(", backend=url", ""),
    "wrong_value": [
        MODULE.replace("return ", "print(").replace("/ 9", "/ 9)"),
        MODULE.replace("(fahrenheit - 32) * 5", "fahrenheit - 32 * 5"),
    ],
    "raised": MODULE.replace("import os\n", ""),
}

MODULE_NAME = "tasks_1_2a"
TASK = f"{MODULE_NAME}.celsius"
QUEUE = MODULE_NAME  # the lesson's own worker still takes what is in the default queue
KNOWN = {32: 0, 212: 100, -40: -40}  # °F to °C


def check(answer: str) -> Outcome:
    """Run the learner's module in a worker and read what it stored."""
    if unfinished(answer):
        return not_attempted()
    with lab.worker(answer, queues=[QUEUE]) as worker:
        tasks = worker.inspect("registered")
        if TASK not in tasks:
            return not_right("not_registered", tasks=", ".join(tasks) or "none")
        backend = worker.inspect("conf").get("result_backend")
        if backend is None:
            return not_right("no_backend", backend=backend)
        for fahrenheit, expected in KNOWN.items():
            found = lab.client.send_task(TASK, (fahrenheit,), queue=QUEUE).get(timeout=10)
            if found != expected:
                return not_right("wrong_value", fahrenheit=fahrenheit, found=found, expected=expected)
    return right()
