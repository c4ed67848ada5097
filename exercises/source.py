"""Solutions and wrong answers as source text: one or more notebook cells."""

import ast
import re

SEPARATOR = re.compile(r"^# %%[ \t]*\n", re.MULTILINE)
WRITEFILE = re.compile(r"%%writefile[ \t]+(\S+)[ \t]*\n")


def cells(source: str) -> list[str]:
    """Split a source text at its ``# %%`` lines."""
    return [cell.strip("\n") for cell in SEPARATOR.split(source) if cell.strip()]


def compile_cell(cell: str) -> None:
    """Refuse, with a SyntaxError, a cell that is no Python. Its ``%%writefile`` line is allowed."""
    compile(WRITEFILE.sub("\n", cell, count=1), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
