"""The card that ``lab.start()`` shows."""

import sys

from celerylab.stack import texts
from celerylab.views.table import named_values


class Card:
    """What runs where, in a few lines."""

    def __init__(self, title: str, broker: str, worker: str, note: str = "") -> None:
        self.title = title
        self.rows = [(texts.CARD_ROW_BROKER, broker), (texts.CARD_ROW_WORKER, worker)]
        if note:
            self.rows.append((texts.CARD_ROW_NOTE, note))

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"  {name:<8}{value}" for name, value in self.rows)])

    def _repr_html_(self) -> str:
        return named_values(self.title, self.rows)

    def show(self) -> None:
        """Display the card in a notebook, or print it elsewhere."""
        if "ipykernel" in sys.modules:
            from IPython.display import display

            display(self)  # type: ignore[no-untyped-call]
        else:
            sys.stdout.write(f"{self!r}\n")
