"""What the command and the widget show of a dead letter."""

from typing import Any

from celerylab.views import texts

Letter = Any
"""A dead letter, whatever its class."""


def what(letter: Letter, wide: int) -> str:
    """Say in one line what has happened."""
    named = letter.exception.rpartition(".")[2]
    first = letter.message.partition("\n")[0]
    said = f"{named}: {first}" if named and first and named != first else first or named
    return said if len(said) <= wide else f"{said[: wide - 1]}…"


def described(letter: Letter) -> list[tuple[str, str]]:
    """Return titles and values: all that is known of a letter but the traceback."""
    rows = [
        (texts.LETTER_ID, letter.id),
        (texts.LETTER_TASK, letter.task),
        (texts.LETTER_CALL, letter.call),
        (texts.LETTER_KIND, letter.kind),
        (
            texts.LETTER_EXCEPTION,
            f"{letter.exception}: {letter.message}" if letter.exception else letter.message,
        ),
        (texts.LETTER_WHEN, letter.when.astimezone().isoformat(" ", "seconds")),
        (texts.LETTER_RETRIES, str(letter.retries)),
        (texts.LETTER_QUEUE, letter.queue),
        (texts.LETTER_NODE, letter.node),
        (texts.LETTER_STATE, _state(letter)),
        (texts.LETTER_REPLAY_OF, letter.replay_of or ""),
        (texts.LETTER_ROOT, letter.root_id if letter.root_id not in (None, letter.id) else ""),
        (texts.LETTER_PARENT, letter.parent_id or ""),
        (texts.LETTER_PROBLEM, letter.problem or ""),
    ]
    return [(title, value) for title, value in rows if value]


def _state(letter: Letter) -> str:
    if not letter.replayed_as:
        return str(letter.state)
    said = texts.LETTER_REPLAYED if letter.state == "replayed" else texts.LETTER_CLAIMED
    return said.format(id=letter.replayed_as)
