"""Runs cells as a notebook would, and writes down what the last one returned.

Its own process: it starts a real lab, and an exercise must not see another's modules.
Usage: ``run_cells.py RESULT_FILE``, with the cells as a JSON list on standard input.
"""

import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from exercises import Outcome


def main() -> None:
    """Run the cells; end with the error of the first that raises."""
    # As in a kernel: the learner's modules stand beside the lesson.
    sys.path[0] = ""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    for cell in json.load(sys.stdin):
        ran = shell.run_cell(cell)
        ran.raise_error()
    outcome = ran.result
    if not isinstance(outcome, Outcome):
        raise SystemExit(f"the last cell returned {outcome!r}, not the outcome of a check")
    found = {"kind": outcome.kind, "key": outcome.key, "message": repr(outcome)}
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
