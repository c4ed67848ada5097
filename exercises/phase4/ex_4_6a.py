"""Exercise 4-6a: renditions in a chord, on the photo's own queue, with no process that waits."""

import random

from celerylab import lab
from celerylab.faults.fault_test import FirstFailure
from celerylab.faults.faults import Faults
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase4.photos_4_6 import DEFAULT_QUEUE, LATE, WAIT, module

TITLE = "Keep every process free"

TEXT = """
Replace the `...` in `receive`, which gets the name of a photo. It has `rendition` run for each of `SIZES`,
and `publish` once, with the list of what they returned and the photo's name.

- No process may wait for another task.
- What follows a photo stays on the queue by which the photo came: `photos.bulk` or `photos.urgent`.

`check` starts a worker of two processes for each queue. It holds one rendition in mid-work, and looks
whether any other process is kept busy meanwhile. Then it stops the bulk worker, and uploads an urgent photo:
that must come out all the same.
"""

HINTS = [
    "2-4 shows who goes on when all parts are done; 2-7 how a task hands on to a canvas.",
    "`self.request.delivery_info` knows by which queue the message came; 2-6 gives a signature its queue.",
    "`self.replace(...)` takes a chord. Does each signature in it have its queue, the last one too?",
]

FEEDBACK = {
    "right": "Nobody waited while a rendition was held. The urgent photo came out without the bulk worker.",
    "waits": (
        "While one rendition was held, {parents} kept a process busy until it went on. With as many photos "
        "as processes, nobody is left to make renditions. Who can go on when the last part is done?"
    ),
    "left_its_queue": (
        "The bulk worker was stopped, and the urgent photo did not come out: {left}. On which queue was each "
        "of its tasks sent?"
    ),
    "not_out": "A photo was uploaded, and is not as it must be: {seen}",
}

A = "photos_4_6a"
SOLUTION = module(A, look="", options=LATE + "\n", letters="")
WRONG = {
    "waits": module(A, look="", send=WAIT, options=LATE + "\n", letters=""),
    "left_its_queue": module(A, look="", send=DEFAULT_QUEUE, options=LATE + "\n", letters=""),
    "not_out": module(
        A,
        look="",
        send="return [rendition(photo, size) for size in SIZES]",
        options=LATE + "\n",
        letters="",
    ),
}
TIMEOUT = 5.0  # s for a photo; other workers have nothing else to do


def check(answer: str) -> Outcome:
    """Hold a part of one photo, and let another come without the bulk worker."""
    if unfinished(answer):
        return not_attempted()
    with lab.fault_test(answer) as test:
        test.stopping = True
        faults = Faults(test, test.rig, random.Random(0))
        try:
            faults.hold_a_part()
        except FirstFailure:
            report = test.report()
            if report["waiting"].ok is False:
                return not_right("waits", parents=", ".join(test.parents))
            return not_right("not_out", seen=" ".join(report["lost"].seen))
        test.rig.freeze("photos.bulk")
        name = test.upload(1, urgent=True)[0]
        out = test.until(lambda: name in test.album, TIMEOUT)
        queues = sorted({message.queue for message in test.messages() if message.queue != "photos.urgent"})
        test.rig.thaw("photos.bulk")
        if not out:
            where = f"messages wait in {', '.join(queues)}" if queues else "no message is left"
            return not_right("left_its_queue", left=where)
        return right()
