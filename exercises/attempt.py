"""What a check uses to look at the learner's code: whether it is begun, and what it raised."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from celerylab.errors import LabError
from exercises.errors import LearnerRaised

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def learners_code() -> Iterator[None]:
    """Mark the lines of a check that run the learner's code.

    What they raise is shown as the learner's. A `LabError` stays what it is.
    """
    try:
        yield
    except (LabError, LearnerRaised):
        raise
    except (Exception, SystemExit) as error:
        raise LearnerRaised(error) from error


def call(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of the learner's; what it raises is shown as theirs."""
    with learners_code():
        return function(*args, **kwargs)


def unfinished(answer: str | Path | Callable[..., object]) -> bool:
    """Say whether an answer still holds a ``...`` of the starter, or isn't there at all.

    The ``...`` of a type (``tuple[int, ...]``) and of an empty class body are no placeholders.

    Parameters
    ----------
    answer
        A module beside the lesson ("tasks_1_2"), a file, or a function.
    """
    if isinstance(answer, str | Path):
        path = Path(answer) if Path(answer).suffix == ".py" else Path(f"{answer}.py")
        if not path.exists():
            return True
        source = path.read_text(encoding="utf-8")
    else:
        try:
            source = textwrap.dedent(inspect.getsource(answer))
        except (OSError, TypeError):
            return False
    try:
        return any(_placeholders(ast.parse(source)))
    except SyntaxError:
        return False


def _placeholders(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and child.value is Ellipsis:
            yield child
        elif not isinstance(child, ast.Subscript) and not (
            isinstance(child, ast.Expr) and isinstance(node, ast.ClassDef)
        ):
            yield from _placeholders(child)
