"""Where a message goes that the learner's code sends."""

from collections.abc import Callable

from celery.signals import after_task_publish

from exercises import call


def destination(send: Callable[[], object]) -> str | None:
    """Run code of the learner's that sends one message.

    Returns
    -------
    str or None
        The queue that the message was sent to; ``None`` if none was sent. A worker of the lesson may
        have taken it already, so the broker is not asked.
    """
    found: list[str] = []

    def note(routing_key: str, **_: object) -> None:
        found.append(routing_key)

    after_task_publish.connect(note, weak=False)
    try:
        call(send)
    finally:
        after_task_publish.disconnect(note)
    return found[-1] if found else None
