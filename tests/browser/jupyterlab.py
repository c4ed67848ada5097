"""The course in JupyterLab as a learner has it: ``celerylab lab`` over a copy, seen through a browser."""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, WebSocket, expect

from celerylab.course import ROOT
from tests.processes import within

PARTS = ("celerylab", "exercises", "labtasks", "notebooks", "quizzes")
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "tasks_*.py")
READY = re.compile(r"ready: (http://127\.0\.0\.1:\d+/)(lab/tree/notebooks/start_here\.ipynb)\?token=(\w+)\n")
NORMAL: ViewportSize = {"width": 1366, "height": 768}
DEADLINE = 90  # s; five of these run at once, beside other tests
THEMES = ("Light", "Dark")
# in the messages between JupyterLab and a kernel: its own id comes first, then that of what it answers
MESSAGE = re.compile(rb'"msg_id": ?"([^"]+)"')
IDLE = re.compile(rb'"execution_state": ?"idle"')


class Course:
    """One ``celerylab lab`` over a copy of the course, with a home of its own.

    Parameters
    ----------
    folder
        Where the copy and all that the lab writes go.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "course"
        for part in PARTS:
            shutil.copytree(ROOT / part, self.root / part, ignore=NOT_COPIED)
        self.home, self.out, self.opened = folder / "home", folder / "out", folder / "opened"
        self.runtime = folder / "runtime"
        # stands for the learner's browser: keeps the address that it is to open
        opener = folder / "open-in-browser"
        opener.write_text(f'#!/bin/sh\necho "$1" > {self.opened}.new && mv {self.opened}.new {self.opened}\n')
        opener.chmod(0o700)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "BROWSER": str(opener),
            "CELERYLAB_HOME": str(self.home),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        self.environment.pop("JUPYTER_TOKEN", None)
        with self.out.open("w") as out:
            self.process = psutil.Popen(
                self._command("lab"), cwd=self.root, env=self.environment, stdout=out, stderr=out
            )
        within(DEADLINE, lambda: bool(READY.search(self.said)) or self.process.poll() is not None)
        found = READY.search(self.said)
        if found is None:
            self.process.kill()
            raise AssertionError(self.said)
        self.base, self.start_page, self.token = found[1], found[2], found[3]

    @property
    def said(self) -> str:
        """What the terminal shows."""
        return self.out.read_text()

    def address(self, path: str) -> str:
        """Return the address of a file, in a workspace of its own."""
        return f"{self.base}lab/workspaces/{uuid.uuid4().hex}/tree/{path}?token={self.token}"

    def run(self, *arguments: str) -> str:
        """Run ``celerylab`` as in another terminal, and return what it prints."""
        command = self._command(*arguments)
        return subprocess.run(
            command, cwd=self.root, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def processes(self, path: str) -> list[psutil.Process]:
        """Return the kernel of a notebook, and all that it has started."""
        headers = {"Authorization": f"token {self.token}"}
        sessions = httpx.get(f"{self.base}api/sessions", headers=headers, timeout=30, trust_env=False).json()
        (kernel,) = (session["kernel"]["id"] for session in sessions if session["path"] == path)
        for child in self.process.children():
            if any(kernel in argument for argument in child.cmdline()):
                return [child, *child.children(recursive=True)]
        raise AssertionError(f"{path} has no kernel")

    def close(self) -> None:
        """Stop it as Ctrl-C does."""
        self.process.terminate()
        self.process.wait(DEADLINE)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "celerylab.cli", *arguments]


class Notebook:
    """A notebook open in JupyterLab.

    Parameters
    ----------
    page
        The page of the browser.
    course
        Where it is served.
    path
        The notebook, from the course's root.
    """

    def __init__(self, page: Page, course: Course, path: str) -> None:
        self.page, self.course, self.path = page, course, path
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self._asked: set[str] = set()
        self._answered: set[str] = set()
        page.on("websocket", self._listen)

    def open(self) -> "Notebook":
        """Go there, and wait until its kernel is ready."""
        self.page.goto(self.course.address(self.path))
        return self.ready()

    def ready(self) -> "Notebook":
        """Wait until its kernel has nothing to do."""
        self.expect_status("Idle")
        return self

    def expect_status(self, status: str) -> None:
        """Wait for a state of the kernel in the status bar."""
        shown = f'#jp-main-statusbar [title="Change kernel for {Path(self.path).name}"]'
        expect(self.page.locator(shown)).to_contain_text(f"| {status}")

    def settle(self) -> None:
        """Wait until the kernel has heard all that was done in a widget.

        A widget keeps a change back while the kernel is at work on the one before, and a button
        that is pressed then comes first. Nobody is that fast, but on a busy machine a test is.
        """

        def settled() -> bool:
            # what was kept back is sent just after the answer to what came before
            self.page.evaluate("() => new Promise(resolve => setTimeout(resolve))")
            return self._asked <= self._answered

        assert within(DEADLINE, lambda: settled() and settled()), self._asked - self._answered

    def _listen(self, socket: WebSocket) -> None:
        def sent(frame: str | bytes) -> None:
            if found := MESSAGE.search(_bytes(frame)):
                self._asked.add(found[1].decode())

        def received(frame: str | bytes) -> None:
            message = _bytes(frame)
            if IDLE.search(message):
                self._answered.update(each.decode() for each in MESSAGE.findall(message))

        if "/channels" in socket.url:
            socket.on("framesent", sent)
            socket.on("framereceived", received)

    def cell(self, source: str) -> Locator:
        """Return the code cell whose source holds a text."""
        return self.panel.locator(".jp-CodeCell").filter(
            has=self.page.locator(".jp-InputArea-editor", has_text=source)
        )

    def output(self, source: str) -> Locator:
        """Return the output of such a cell, without JupyterLab's own frame."""
        return self.cell(source).locator(".jp-OutputArea-output")

    def select(self, source: str) -> Locator:
        """Click into a cell."""
        found = self.cell(source)
        found.locator(".cm-content").click()
        return found

    def run(self, source: str, *, stay: bool = False) -> Locator:
        """Click into a cell and press Shift+Enter, or Ctrl+Enter to stay there; return the cell."""
        found = self.select(source)
        self.page.keyboard.press("Control+Enter" if stay else "Shift+Enter")
        return found

    def write(self, source: str, text: str) -> None:
        """Put a text in the place of all that a cell holds, as with Paste."""
        self.select(source)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(text.strip())

    def menu(self, *names: str) -> None:
        """Choose from the menus, one after the other."""
        bar, *items = names
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(bar, exact=True).click()
        for name in items:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()

    def theme(self, name: str) -> None:
        """Change to the light or the dark theme."""
        self.menu("Settings", "Theme", f"JupyterLab {name}")
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", f"JupyterLab {name}")

    def saved(self, done: Callable[[str], bool]) -> dict[str, Any]:
        """Save it, and return what the file holds once that is as expected."""
        file, found = self.course.root / self.path, [""]

        def written() -> bool:
            found[0] = file.read_text(encoding="utf-8")
            return found[0].endswith("}\n") and done(found[0])

        self.page.keyboard.press("ControlOrMeta+s")
        assert within(DEADLINE, written), found[0][-500:]
        return dict(json.loads(found[0]))


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def notebook_of(*sources: str) -> dict[str, Any]:
    """Return a notebook with cells that have not been run."""
    cells = [
        {"cell_type": "code", "id": f"cell{n}", "metadata": {}, "outputs": [], "execution_count": None}
        | {"source": each}
        for n, each in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def learners_page(browser: Browser) -> Page:
    """Return a page of a normal size."""
    context = browser.new_context(viewport=NORMAL)
    context.set_default_timeout(1000 * DEADLINE)
    return context.new_page()


def violations(page: Page, *selectors: str) -> list[str]:
    """Return what axe-core finds in some elements, a line each."""
    for selector in selectors:
        expect(page.locator(selector).first).to_be_visible()
    found = Axe().run(page, context={"include": [[selector] for selector in selectors]})
    return [
        f"{rule['id']}: {node['html']} {node['failureSummary']}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]
