"""The little Markdown of the bank: paragraphs, ``code`` spans and fenced code."""

import re
from html import escape

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```[ ]*$\n?", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_BLANK = re.compile(r"\n\s*\n")


def inline(text: str) -> str:
    """Turn one paragraph into HTML, everything but code spans escaped."""
    return _SPAN.sub(r"<code>\1</code>", escape(text))


def bare(text: str) -> str:
    """Leave the marks of code spans out, where HTML can't stand."""
    return _SPAN.sub(r"\1", text)


def code(text: str) -> str:
    """Turn code or output into HTML, as it stands."""
    return f"<pre><code>{escape(text)}</code></pre>"


def block(text: str) -> str:
    """Turn paragraphs and fenced code into HTML."""
    # Every second part is what a fence holds, for the pattern has one group.
    parts = _FENCE.split(text)
    return "".join(
        code(part.rstrip("\n")) if place % 2 else _paragraphs(part) for place, part in enumerate(parts)
    )


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{inline(part.strip())}</p>" for part in _BLANK.split(text) if part.strip())
