"""Exercise 4-6b: what fails for a moment comes out, what fails for good is kept and told of."""

from celerylab import lab
from celerylab.faults import FaultTest
from celerylab.faults.fault_test import FirstFailure
from exercises import Outcome, not_attempted, not_right, right, unfinished
from exercises.phase4.photos_4_6 import ENDLESS, LATE, SWALLOW, module

TITLE = "Fail well"

TEXT = """
In `photos_4_6b.py`, replace the `...` in `SAFE` by options for retries, and the `...` in `receive` by a line
that fails for a file that is no picture, before any chord is begun. `labtasks.images.resize_image` raises
`NotAPicture`, a `ValueError`, for such a file, and `FileNotFoundError`, an `OSError`, for one that is not
there. Then have every task that has failed for good kept, in the store `photos`, with an alert.

- A photo whose file is away for two seconds comes out.
- A file that is no picture is tried 4 times at most, has one letter and one alert, and is in no album.

`check` starts your workers, takes the file of one photo away, uploads three bad pictures, and puts the file
back once it was missed. Then it looks into the album, the store and the webhook.
"""

HINTS = [
    "3-3 shows which exceptions are worth another try, and the options that say so.",
    "3-6: `labtasks.dead_letters` has `install`, and `default_store` takes the store's name.",
    "`autoretry_for` with `OSError` and `psycopg.OperationalError`, a number of tries, and no `except`.",
]

FEEDBACK = {
    "right": "The photo whose file was away came out. Each of three bad pictures has a letter and an alert.",
    "hidden": "A failure was called a success: {seen}. What does Celery make of a task that returns?",
    "tries": "There is no end to it: {seen}. Who gives up, and when?",
    "lost": (
        "The file of one photo was away for a moment, and the photo did not come out: {seen}. "
        "Which errors are worth another try, and how long is the wait before it?"
    ),
    "letters": "Not every failure is kept and told of: {seen}. What must happen where the app is made?",
    "alerts": "There are {letters} letters in the store, and {alerts} alerts came. Who sends them?",
    "other": "{line}: {seen}",
}

B = "photos_4_6b"
SOLUTION = module(B)
WRONG = {
    "hidden": module(B, look=SWALLOW),
    "tries": module(B, options=LATE + ENDLESS),
    "lost": module(B, options=LATE + "\n"),
    "letters": module(B, letters=""),
}
AWAY = 10.0  # s until the missing file was missed


def check(answer: str) -> Outcome:
    """Take a file away for a moment, upload bad pictures, and look what became of them."""
    if unfinished(answer):
        return not_attempted()
    with lab.fault_test(answer) as test:
        test.stopping = True
        try:
            _upload(test)
            test.settle()
            test.wait_alerts()
        except FirstFailure:
            pass
        report = test.report()
        for key in ("hidden", "tries", "lost", "letters"):
            if report[key].ok is False:
                return not_right(key, seen="; ".join(report[key].seen))
        if report.failed:
            line = report[report.failed[0]]
            return not_right("other", line=line.name, seen="; ".join(line.seen))
        letters, alerts = len(test.letters()), len(test.alerts())
        return right() if letters == alerts else not_right("alerts", letters=letters, alerts=alerts)


def _upload(test: FaultTest) -> None:
    # nobody works until the file is away
    test.rig.freeze("photos.bulk")
    name = test.upload(1)[0]
    kept = test.folder.parent / name
    (test.folder / name).rename(kept)
    test.rig.thaw("photos.bulk")
    # its task was tried again, or has ended
    test.until(lambda: test.tries(name) > 1 or test.idle(), AWAY)
    kept.rename(test.folder / name)
    test.upload_bad()
