"""Takes the README's pictures anew, each in the light and the dark theme."""

import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, ViewportSize, expect, sync_playwright

from celerylab.course import ROOT
from exercises.definition import load as load_exercise
from tests.browser.conftest import QUIET, chromium
from tests.browser.jupyterlab import DEADLINE, THEMES, Course, Notebook, learners_page, notebook_of
from tests.browser.quizzing import QUIZ, Mouse

FOLDER = ROOT / "docs"
SIZE: ViewportSize = {"width": 1180, "height": 730}
CELLS = (
    """from celerylab import lab

lab.start()


def send(task, *args):
    return lab.client.send_task(f"labtasks.basics.{task}", args, queue="labtasks")


def send_all():
    for n in range(60):
        send("long_task", 0.2)
        send("add", n, n)
    for wrong in [("add", 1, "two"), ("long_task", -1), ("process_data", [])]:
        send(*wrong)""",
    "with lab.dashboard(idle=0.5):\n    send_all()",
    "lab.dead_letters()",
)


def main() -> None:
    """Take them all."""
    expect.set_options(timeout=1000 * DEADLINE)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Course(Path(folder))) as course,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        for name, notebook, place in scenes(browser, course):
            for theme in THEMES:
                notebook.theme(theme)
                notebook.page.mouse.move(0, 0)
                for _ in range(5):  # what is further up may still get its size
                    place.evaluate("e => e.scrollIntoView({block: 'start'})")
                    notebook.page.wait_for_timeout(200)
                file = FOLDER / f"{name}-{theme.lower()}.png"
                save(notebook.page.screenshot(animations="disabled"), file)
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


def save(screenshot: bytes, file: Path) -> None:
    """Save a picture with its 256 most frequent colours: a third of the size, and it looks the same."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    counted = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in counted[:256] for part in colour])  # type: ignore[union-attr]
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(file, optimize=True)


def scenes(browser: Browser, course: Course) -> Iterator[tuple[str, Notebook, Locator]]:
    """Yield the name of each picture, with the notebook and what is to be on top of it."""
    lesson = opened(browser, course, "notebooks/phase1/1_2_first_task.ipynb")
    for source in ("lab.start()", 'exercise("1-2a")', "def celsius"):
        lesson.run(source)
    wrong = dict(load_exercise("1-2a").wrong)["wrong_value"]
    lesson.write("def celsius", wrong)
    lesson.run("def celsius")
    lesson.run('ex.check("tasks_1_2a")')
    expect(lesson.output('ex.check("tasks_1_2a")')).to_contain_text("Not right yet.")
    yield "exercise", lesson, lesson.cell("def celsius")

    lesson.run('quiz("1-2")')
    learner = Mouse(lesson, "1-2")
    one, several = learner.questions[-2:]
    learner.answer(one, right=True)
    learner.answer(several, right=False)
    expect(learner.said(several)).to_contain_text("Not right.")
    yield "quiz", lesson, learner.panel(several)

    start = opened(browser, course, "notebooks/start_here.ipynb")
    start.run("course_map()")
    expect(start.output("course_map()")).to_contain_text("Next: ")
    yield "start_here", start, start.panel.locator(".jp-Cell").first

    lesson = opened(browser, course, "notebooks/phase1/1_4_the_worker.ipynb")
    lesson.menu("Run", "Run All Cells")
    expect(lesson.output("quiz(").locator(QUIZ)).to_be_visible()
    yield "lesson", lesson, lesson.cell('"gate 1"')

    notes = course.root / "notebooks/notes.ipynb"
    notes.write_text(json.dumps(notebook_of(*CELLS)))
    own = opened(browser, course, "notebooks/notes.ipynb")
    own.run("lab.start()")
    own.run("lab.dashboard")
    picture = own.output("lab.dashboard").get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("after [4-9] s. Waiting: [1-9]"))
    yield "dashboard", own, own.cell("lab.dashboard")

    own.ready()
    own.run("lab.dead_letters()")
    letters = own.output("lab.dead_letters()")
    letters.get_by_role("button", name="Replay", exact=True).click()
    expect(letters.get_by_role("status")).to_contain_text("Replayed")
    yield "dead_letters", own, own.cell("lab.dead_letters()")


def opened(browser: Browser, course: Course, path: str) -> Notebook:
    """Open a notebook, without the files beside it."""
    page = learners_page(browser)
    page.set_viewport_size(SIZE)
    notebook = Notebook(page, course, path).open()
    page.keyboard.press("ControlOrMeta+b")
    return notebook


if __name__ == "__main__":
    main()
