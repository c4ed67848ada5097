"""Runs programs of cells as a notebook would, and writes down what the last cell of each returned.

Its own process: it starts a real lab, and an exercise must not see another's modules. Within it
the programs follow each other, as a learner's attempts do: in one lab, each with its modules anew.
Usage: ``run_cells.py RESULT_FILE``, with the programs as JSON lists on standard input.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from exercises import Outcome


def main() -> None:
    """Run the programs; each ends with the error of the first cell that raises."""
    # As in a kernel: the learner's modules stand beside the lesson.
    sys.path[0] = ""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    found = [run(shell, program) for program in json.load(sys.stdin)]
    Path(sys.argv[1]).write_text(json.dumps(found))


def run(shell: InteractiveShell, program: list[str]) -> dict[str, str]:
    """Run the cells of one program; return its outcome, or what the cell printed that failed."""
    forget(shell)
    for cell in program:
        errors = io.StringIO()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            ran = shell.run_cell(cell)
        if not ran.success:
            return {"failed": printed.getvalue() + errors.getvalue()}
    outcome = ran.result
    if not isinstance(outcome, Outcome):
        return {"failed": f"the last cell returned {outcome!r}, not the outcome of a check"}
    return {
        "kind": outcome.kind,
        "key": outcome.key,
        "message": repr(outcome),
        "warned": errors.getvalue(),
    }


def forget(shell: InteractiveShell) -> None:
    """Forget names, modules and files of the program before."""
    shell.reset(new_session=False)
    for name, module in list(sys.modules.items()):
        if (path := getattr(module, "__file__", None)) and Path(path).resolve().parent == Path.cwd():
            del sys.modules[name]
    for path in Path.cwd().glob("*.py"):
        path.unlink()


if __name__ == "__main__":
    main()
