"""What a fault test is doing, while it does it."""

from celerylab.faults import texts


class Progress:
    """A line that is replaced by the next one in a notebook; elsewhere its title alone."""

    def __init__(self, module: str) -> None:
        self._title = texts.RUNNING.format(module=module)
        self._says: object = None

    def show(self, step: str) -> None:
        """Say what is being done."""
        if self._says is None:
            from IPython.display import display
            from ipywidgets import HBox, Label  # type: ignore[import-untyped]

            self._says = Label()
            bundle = HBox([Label(f"{self._title}:"), self._says])._repr_mimebundle_()
            display({**bundle, "text/plain": self._title}, raw=True)  # type: ignore[no-untyped-call]
        self._says.value = step  # type: ignore[attr-defined]

    def end(self) -> None:
        """Say that it is over."""
        if self._says is not None:
            self.show(texts.FINISHED)
