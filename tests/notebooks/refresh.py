"""Runs every notebook again and keeps it in one form: what ``make notebooks`` does.

Arguments: parts of file names, to run only those; none runs all.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
CELL_TIMEOUT = 120  # s
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# a frame, or several in one, of code that the lesson did not write
LIBRARY = re.compile(r"site-packages/|/lib/python3|/celerylab/|<frozen |frames?\]")
# where packages and cells lie differs from machine to machine
PLACES = [
    (re.compile(r"(?:~|/)[^\s:'\"\x1b]*/site-packages/"), ""),
    (re.compile(r"/[^\s:'\"\x1b]*/lib/python3\.\d+/"), ""),
    (re.compile(re.escape(str(ROOT)) + "/"), ""),
    (re.compile(r"/[^\s:'\"\x1b]*/ipykernel_\d+/\d+\.py"), "cell"),
]


def normalise(notebook: NotebookNode) -> None:
    """Give a notebook the form in which it is committed; running it again changes nothing more."""
    notebook.metadata = nbformat.from_dict(METADATA)
    number = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if output.output_type == "error":
                output.traceback = _short(output.traceback)
            if output.output_type == "stream":
                output.text = re.sub(r"^Overwriting", "Writing", _placeless(output.text))
        cell.outputs = _joined(cell.outputs)


def run(path: Path) -> None:
    """Run one notebook in a fresh kernel, and write it with its outputs.

    Raises
    ------
    CellExecutionError
        A cell raised without the tag ``raises-exception``; the file stays as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=CELL_TIMEOUT, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    normalise(notebook)
    nbformat.write(notebook, path)


def main(wanted: list[str]) -> int:
    """Run the notebooks; return 1 if a cell failed."""
    failed = 0
    # the map of the course shows a reader who has not begun, whatever the author has done
    home = tempfile.TemporaryDirectory()
    os.environ["CELERYLAB_HOME"] = home.name
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts or (wanted and not any(part in path.name for part in wanted)):
            continue
        try:
            run(path)
            print(f"{path.relative_to(ROOT)}: run")
        except CellExecutionError as failure:
            failed += 1
            print(f"{path.relative_to(ROOT)}: {failure}", file=sys.stderr)
    return int(bool(failed))


def _short(traceback: list[str]) -> list[str]:
    """Keep what the reader of a lesson looks at: the lines of the lesson and the exception."""
    last = len(traceback) - 1
    kept = []
    for n, entry in enumerate(traceback):
        frame = entry.partition("\n")[0]
        if n < 2 or n == last or not LIBRARY.search(frame):
            kept.append(_placeless(entry))
        elif kept[-1] != "...":
            kept.append("...")
    return kept


def _placeless(text: str) -> str:
    for pattern, name in PLACES:
        text = pattern.sub(name, text)
    return text


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what was printed in several pieces: where it is cut differs from run to run."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
