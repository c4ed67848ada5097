"""What a fresh Python does with the code of a predict question: run it as a notebook would."""

import ast
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


def show(code: str) -> None:
    """Run code and print the ``repr`` of its last expression, or its exception.

    Parameters
    ----------
    code
        Python code.
    """
    # The code comes from the bank, which is part of the course.
    # Tasks are named after __main__, as they are in a notebook.
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<question>", "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<question>", "eval"), names)  # noqa: S307
            if value is not None:
                print(repr(value))
    # An exception is output too, as it is in a notebook.
    except Exception as error:  # noqa: BLE001
        print(traceback.format_exception_only(error)[-1].rstrip())


def main(arguments: list[str]) -> None:
    """Run a file, in the lab if the second argument asks for it."""
    file, *needs = arguments
    if "lab" in needs:
        # The card that the lab prints is no part of the code's output.
        with redirect_stdout(sys.stderr):
            from celerylab import lab

            lab.start()
    show(Path(file).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
