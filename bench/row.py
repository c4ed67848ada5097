"""One promise, measured on both sides in one run."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """Ours against theirs.

    Attributes
    ----------
    what
        The promise.
    ours, theirs
        Measured, in ``unit``.
    unit
        Of both.
    limit
        What ``ours / theirs`` may be.
    at_least
        Whether the limit is a lower one.
    notes
        What else the run showed, a line each.
    """

    what: str
    ours: float
    theirs: float
    unit: str
    limit: float
    at_least: bool = False
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def __str__(self) -> str:
        bound = "≥" if self.at_least else "≤"
        verdict = "kept" if self.kept else "MISSED"
        line = (
            f"{self.what}: {self.ours:.4g} {self.unit} against {self.theirs:.4g} {self.unit}, "
            f"ratio {self.ratio:.2f} ({bound} {self.limit:g}): {verdict}"
        )
        return "\n".join([line, *(f"    {note}" for note in self.notes)])
