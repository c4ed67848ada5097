"""The learner's toolbox: ``from celerylab import lab``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celerylab.toolbox import Lab, lab

__all__ = ["Lab", "lab"]


def __getattr__(name: str) -> object:
    # late: every worker imports this package for one module, and need not load the whole toolbox
    if name in __all__:
        from celerylab import toolbox

        return getattr(toolbox, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
