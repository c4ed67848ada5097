"""What became of the photos of a fault test, one line a claim."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from celerylab.faults import texts
from celerylab.faults.judging import Line
from celerylab.views.table import LEFT, Table


class Report:
    """The claims, their figures and verdicts; a claim that does not hold says what was seen.

    Parameters
    ----------
    module
        What was tested.
    lines
        The claims.
    faults
        What happened to the service, in its order.
    photos
        How many were sent.
    stopped
        Whether the test was stopped at its first failure.
    """

    def __init__(
        self, module: str, lines: Sequence[Line], faults: Sequence[str], *, photos: int, stopped: bool
    ) -> None:
        self.module = module
        self.lines = tuple(lines)
        self.faults = tuple(faults)
        self.photos = photos
        self.stopped = stopped

    @property
    def passed(self) -> bool:
        """Whether every claim was judged, and holds."""
        return all(line.ok for line in self.lines)

    @property
    def failed(self) -> list[str]:
        """The keys of the claims that do not hold."""
        return [line.key for line in self.lines if line.ok is False]

    def lesson(self, key: str) -> str:
        """Say where to look for what a claim is about."""
        return texts.LESSONS[key]

    def __getitem__(self, key: str) -> Line:
        return next(line for line in self.lines if line.key == key)

    def __repr__(self) -> str:
        rows = [[line.name, line.found, line.verdict] for line in self.lines]
        parts = [self._title(), repr(Table(texts.COLUMNS, rows))]
        for line in self.lines:
            if line.ok is False:
                said = "; ".join(line.seen)
                parts.append(
                    f"{line.name}\n  {texts.SEEN}: {said}\n  {texts.LOOK_AT}: {texts.LESSONS[line.key]}"
                )
        parts.append("\n".join([f"{texts.FAULTS}:", *(f"  {fault}" for fault in self._faults())]))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" {LEFT}>{escape(title)}</th>' for title in texts.COLUMNS)
        body = "".join(self._row(line) for line in self.lines)
        faults = "".join(f"<li>{escape(fault)}</li>" for fault in self._faults())
        return (
            f"<p><strong>{escape(self._title())}</strong></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{escape(texts.FAULTS)}:</p><ul>{faults}</ul>"
        )

    def _title(self) -> str:
        title = texts.TITLE.format(module=self.module)
        if self.failed:
            how = texts.FAILED_ON.format(lines=", ".join(texts.LINES[key] for key in self.failed))
            return f"{title}: {how}" + (f" ({texts.STOPPED_EARLY})" if self.stopped else "")
        unjudged = sum(line.ok is None for line in self.lines)
        return f"{title}: {texts.NONE_FAILED.format(n=unjudged) if unjudged else texts.PASSED}"

    def _faults(self) -> Sequence[str]:
        return self.faults or [texts.NO_FAULTS]

    @staticmethod
    def _row(line: Line) -> str:
        found = escape(line.found)
        if line.ok is False:
            found += "".join(f"<br>{escape(texts.SEEN)}: {escape(each)}" for each in line.seen)
            found += f"<br>{escape(texts.LOOK_AT)}: {escape(texts.LESSONS[line.key])}"
        verdict = escape(line.verdict)
        shown = f"<strong>{verdict}</strong>" if line.ok is False else verdict
        return "".join(
            [f'<tr><th scope="row" {LEFT}>{escape(line.name)}</th>']
            + [f"<td {LEFT}>{each}</td>" for each in (found, shown)]
            + ["</tr>"]
        )
