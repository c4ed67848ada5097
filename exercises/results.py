"""What a check reads of results, beside their values."""

from celerylab import lab
from celerylab.views.runs import Run


def done_at(run: Run) -> float:
    """Return when a task's result was stored, in seconds since the epoch.

    Its last event tells of a later moment: by then a caller that waited may have sent its next
    task. The event is taken only for a task that has no result.
    """
    done = lab.client.AsyncResult(run.id).date_done
    return done.timestamp() if done else run.finished or 0.0
