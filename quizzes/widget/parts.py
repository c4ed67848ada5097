"""The pieces of ipywidgets that a quiz is made of, each set up for keyboard and screen reader.

The only module that imports ipywidgets, which carries no types.
"""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets  # type: ignore[import-untyped]

Widget = Any
"""A widget of ipywidgets."""


def html(value: str = "") -> Widget:
    """Show HTML."""
    return ipywidgets.HTML(value=value, layout={"width": "auto"})


def column(children: Sequence[Widget], *classes: str) -> Widget:
    """Stack widgets."""
    box = ipywidgets.VBox(children=list(children), layout={"width": "auto"})
    for name in classes:
        box.add_class(name)
    return box


def radios(labels: Sequence[str]) -> Widget:
    """Offer one of several; nothing is chosen at first."""
    options = [(label, place) for place, label in enumerate(labels)]
    return ipywidgets.RadioButtons(options=options, value=None, layout={"width": "auto"})


def checkbox(label: str) -> Widget:
    """Offer something to tick; the label is HTML."""
    return ipywidgets.Checkbox(
        value=False,
        description=label,
        description_allow_html=True,
        indent=False,
        layout={"width": "auto"},
    )


def select(label: str, options: Sequence[tuple[str, int]]) -> Widget:
    """Offer a list to pick from, with its first entry picked; the label is HTML."""
    return ipywidgets.Dropdown(
        options=list(options),
        value=options[0][1],
        description=label,
        description_allow_html=True,
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )


def field(label: str) -> Widget:
    """Offer a field to type in."""
    return ipywidgets.Text(
        description=label, style={"description_width": "initial"}, layout={"width": "auto"}
    )


def button(label: str, hint: str, pressed: Callable[[], None]) -> Widget:
    """Offer a button, named by what it does."""
    made = ipywidgets.Button(description=label, tooltip=hint, layout={"width": "auto"})
    made.on_click(lambda _: pressed())
    return made
