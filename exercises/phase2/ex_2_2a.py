"""Exercise 2-2a: a chain whose steps get what they need."""

from celery.canvas import Signature
from celery.result import ResultBase

from celerylab import lab
from exercises import Outcome, call, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh

TITLE = "Build a checkout"

TEXT = """
Complete `checkout(article, customer)` in `tasks_2_2a.py`. It returns a chain, and sends nothing:
`check_stock` for the article, then `price`, then `add_tax` with a rate of 10 percent, then `receipt`.
Change the parameters of a task if you must, but not what it returns.

`check` sends `checkout("lamp", "Ada")` while no worker runs, and looks at the queue. Then it starts a
worker. All four tasks must run once, in this order, and the receipt must be right: a lamp is 50.00
without tax.
"""

HINTS = [
    "Which of the four steps wants nothing from the step before it?",
    "The value of the step before is always the first argument. Which parameter of `add_tax` does it meet?",
    "`check_stock.s(article) | price.si(article) | ...`, and `add_tax(amount, rate)`.",
]

FEEDBACK = {
    "right": "One message, four tasks in order: {receipt!r}.",
    "no_checkout": "`tasks_2_2a.py` has no function `checkout`.",
    "sent": "`checkout` has sent its tasks already, and returned a result. Return the chain itself.",
    "no_chain": "`checkout` returned {found!r}. A chain is a signature: nothing runs before it is sent.",
    "many_messages": (
        "The lab sent what `checkout` returned, and {n} messages waited. A chain waits as one message, with "
        "its other steps inside."
    ),
    "failed": (
        "These tasks ran: {ran}. The last of them has the state {state}, with {error}. What does each step "
        "get from the one before?"
    ),
    "wrong_order": "These tasks ran: {ran}. Compare their number and order with the text.",
    "wrong_receipt": (
        "The receipt is {receipt!r}. `add_tax` was called with {args}: which of the two is the rate?"
    ),
}

MODULE = """%%writefile tasks_2_2a.py
import os

from celery import Celery

url = os.environ["CELERYLAB_BROKER_URL"]
app = Celery("tasks_2_2a", broker=url, backend=url)
app.conf.task_default_queue = "exercise-2-2a"
PRICES = {{"book": 20.0, "lamp": 50.0}}


@app.task
def price(article):
    return PRICES[article]


@app.task
def check_stock(article):
    return f"{{article}}: in stock"


@app.task
def add_tax({parameters}):
    return amount * (100 + rate) / 100


@app.task
def receipt(amount, customer):
    return f"{{customer}} pays {{amount:.2f}}"


def checkout(article, customer):
    return {answer}
"""


def _module(answer: str, parameters: str = "amount, rate") -> str:
    return MODULE.format(answer=answer, parameters=parameters)


CHAIN = "check_stock.s(article) | price.si(article) | add_tax.s(10) | receipt.s(customer)"

SOLUTION = _module(CHAIN)

WRONG = {
    "wrong_receipt": _module(CHAIN, "rate, amount"),
    "failed": [
        _module(CHAIN.replace("price.si", "price.s")),
        _module(CHAIN.replace("price.si(article)", "price.s()")),
        _module(CHAIN.replace("add_tax.s(10)", "add_tax.si(10)")),
    ],
    "sent": _module(f"({CHAIN}).apply_async()"),
    "no_chain": _module("receipt(add_tax(price(article), 10), customer)"),
    "many_messages": _module(
        "group(check_stock.s(article), price.s(article), add_tax.s(50, 10), receipt.s(55, customer))"
    ).replace("import Celery", "import Celery, group"),
    "wrong_order": _module("price.s(article) | add_tax.s(10) | receipt.s(customer)"),
}

QUEUE = "exercise-2-2a"
ORDER = ["check_stock", "price", "add_tax", "receipt"]
RECEIPT = "Ada pays 55.00"
TIMEOUT = 20.0  # s


def check(answer: str) -> Outcome:
    """Send the chain, look at the queue, then at what a worker ran."""
    if unfinished(answer):
        return not_attempted()
    module = fresh(answer)
    if not hasattr(module, "checkout"):
        return not_right("no_checkout")
    lab.redis.delete(QUEUE)
    found = call(module.checkout, "lamp", "Ada")
    if isinstance(found, ResultBase):
        lab.redis.delete(QUEUE)
        return not_right("sent")
    if not isinstance(found, Signature):
        return not_right("no_chain", found=found)
    with lab.watch() as seen:
        result = found.apply_async()
        waiting = lab.redis.llen(QUEUE)
        if waiting != 1:
            lab.redis.delete(QUEUE)
            return not_right("many_messages", n=waiting)
        with lab.worker(answer, concurrency=1, queues=[QUEUE]) as worker:
            result.get(timeout=TIMEOUT, propagate=False)
            worker.until(running=0, reserved=0)  # its events come after its results
    runs = [run for run in seen if run.started is not None]
    ran = [run.task.rpartition(".")[2] for run in runs]
    if result.failed():
        return not_right("failed", ran=", ".join(ran), state=runs[-1].state, error=repr(result.result))
    if ran != ORDER:
        return not_right("wrong_order", ran=", ".join(ran))
    if result.result != RECEIPT:
        args = next(run.args for run in runs if run.task.endswith("add_tax"))
        return not_right("wrong_receipt", receipt=result.result, args=args)
    return right(receipt=result.result)
