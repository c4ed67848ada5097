"""Tables that read as text, in a terminal and on GitHub, as well as in a notebook."""

from collections.abc import Sequence
from html import escape

# JupyterLab aligns every cell to the right
LEFT = 'style="text-align: left"'
RIGHT = 'style="text-align: right"'


class Table:
    """Rows under column titles.

    Parameters
    ----------
    columns
        Titles.
    rows
        A value for each column; shown with ``str``.
    empty
        What is shown instead of a table without rows.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str = "") -> None:
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.empty = empty

    def __repr__(self) -> str:
        if not self.rows:
            return self.empty
        cells = [self.columns, *([str(value) for value in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        numbers = [all(_is_number(value) for value in column) for column in zip(*self.rows, strict=True)]
        lines = [
            "  ".join(
                text.rjust(width) if number else text.ljust(width)
                for text, width, number in zip(texts, widths, numbers, strict=True)
            ).rstrip()
            for texts in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escape(self.empty)}</p>"
        head = "".join(f'<th scope="col" {LEFT}>{escape(title)}</th>' for title in self.columns)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td {RIGHT if _is_number(value) else LEFT}>{escape(str(value))}</td>" for value in row
            )
            + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __len__(self) -> int:
        return len(self.rows)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def named_values(title: str, rows: Sequence[tuple[str, str]], *, code: bool = False) -> str:
    """Return HTML for names and their values under a title.

    Parameters
    ----------
    title
        Of the whole.
    rows
        Names and values, plain text.
    code
        Whether the values are code.
    """
    body = "".join(
        f'<tr><th scope="row" {LEFT}>{escape(name)}</th><td {LEFT}>'
        + (f"<code>{escape(value)}</code>" if code else escape(value))
        + "</td></tr>"
        for name, value in rows
    )
    caption = f'<caption style="text-align: left; font-weight: bold">{escape(title)}</caption>'
    return f"<table>{caption}<tbody>{body}</tbody></table>"
