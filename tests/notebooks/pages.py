"""Links and sections of the course's notebooks and Markdown files, for the tests."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from celerylab.headings import fragment, headings

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@cache
def cells(path: Path, kind: str = "") -> list[dict[str, Any]]:
    """Return the cells of a notebook, of one kind or all."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if kind in ("", cell["cell_type"])]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def prose(path: Path) -> str:
    """Return the Markdown of a notebook or of a Markdown file."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(map(source, cells(path, "markdown")))


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text and the target of each link that stays in the repository."""
    text = re.sub(r"^(```|~~~).*?^\1", "", prose(path), flags=re.MULTILINE | re.DOTALL)
    for name, target in LINK.findall(re.sub(r"`[^`\n]*`", lambda code: code[0].replace("(", ""), text)):
        if not re.match(r"[a-z]+:", target):
            yield name, target


def anchors(path: Path) -> set[str]:
    """Return the fragments under which the headings of a file are reached."""
    found = headings(prose(path))
    if path.suffix == ".ipynb":
        return set(map(fragment, found))
    # GitHub's rule, which JupyterLab does not share
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def below(path: Path, anchor: str) -> Iterator[tuple[int, str]]:
    """Yield what a notebook says and shows below one heading, each with its code cell's number or 0."""
    inside = False
    number = 0
    for cell in cells(path):
        if cell["cell_type"] == "markdown":
            for part in re.split(r"^(?=#)", source(cell), flags=re.MULTILINE):
                inside = anchor in map(fragment, headings(part)) if headings(part) else inside
                if inside:
                    yield 0, part
        else:
            number += 1
            if inside:
                yield number, "\n".join([source(cell), *map(_shown, cell["outputs"])])


def section(path: Path, anchor: str) -> str:
    """Return all that a notebook says and shows below one heading, outputs included."""
    return "\n".join(text for _, text in below(path, anchor))


def code_cells(path: Path, anchor: str) -> dict[int, str]:
    """Return the code cells below one heading, outputs included, by their numbers in a run from the top."""
    return {number: text for number, text in below(path, anchor) if number}


def _shown(output: dict[str, Any]) -> str:
    """Return an output as text, without colours."""
    text = "".join(output.get("text", "")) or "".join(output.get("data", {}).get("text/plain", ""))
    if output["output_type"] == "error":
        text = "\n".join([output["ename"], output["evalue"], *output["traceback"]])
    return ANSI.sub("", text)
