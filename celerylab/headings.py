"""Headings of notebooks and Markdown files, and the links that open at them."""

import json
import re
from pathlib import Path

HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
MARKUP = re.compile(r"[`*]|\[|\]\([^)]*\)")


def headings(markdown: str) -> list[str]:
    """List the headings of a text, without markup; what stands in fenced code is none."""
    return [MARKUP.sub("", heading) for heading in HEADING.findall(FENCED.sub("", markdown))]


def fragment(heading: str) -> str:
    """Return what follows ``#`` in a link to a heading of a notebook, in JupyterLab and on GitHub."""
    return MARKUP.sub("", heading).replace(" ", "-")


def above(notebook: Path, code: str) -> str:
    """Return the heading under which a notebook has the first code cell with some text.

    It is empty if there is none, or if the notebook cannot be read.
    """
    last = ""
    try:
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                last = [last, *headings(source)][-1]
            elif code in source:
                return last
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return ""
