"""The course as a learner takes it, in the browser that ``make lab`` opens, mistakes included."""

import json
import re
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from celerylab.course import lessons
from exercises.definition import Definition
from exercises.definition import load as load_exercise
from tests.browser.jupyterlab import (
    DEADLINE,
    THEMES,
    Course,
    Notebook,
    learners_page,
    notebook_of,
    violations,
)
from tests.browser.quizzing import QUIZ, AtTheQuiz, Keyboard, Mouse, tab_to
from tests.processes import within

START = "notebooks/start_here.ipynb"
LESSON = "notebooks/phase1/1_2_first_task.ipynb"
TITLE = "Write your first task"
OWN = "notebooks/own.ipynb"
LETTERS = ".celerylab-letters"
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"
SELECTED = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell.jp-mod-active .jp-OutputArea-output"
STARTED = 4  # processes at least: kernel, broker, worker, and a process for tasks
KERNELS_END = 5  # s
CELLS = """
from celerylab import lab
lab.start()
def send(task, *args):
    return lab.client.send_task(f"labtasks.basics.{task}", args, queue="labtasks")
---
with lab.dashboard(idle=0.5) as board:
    results = [send("long_task", 0.25) for _ in range(40)]
    results[-1].get(timeout=60)
    send("process_data", [])
---
board.figure()
---
lab.dashboard(idle=600, limit=600).run()
---
lab.dead_letters()
---
[send("add", n, "two").get(timeout=60, propagate=False) for n in (1, 2, 3)]
"""


@pytest.fixture(scope="module")
def own(course: Course) -> str:
    """A notebook of the learner's own."""
    cells = [each.strip() for each in CELLS.split("---")]
    (course.root / OWN).write_text(json.dumps(notebook_of(*cells)))
    return OWN


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """A page for the tests of one lesson; fails at its end if a script of the page did."""
    made = learners_page(browser)
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    made.context.close()
    assert errors == []


@pytest.fixture(scope="module")
def lesson(window: Page, course: Course) -> Notebook:
    """Lesson 1-2, opened from the map and run from top to bottom."""
    notebook = Notebook(window, course, LESSON)
    notebook.open()
    notebook.menu("Run", "Run All Cells")
    expect(window.locator(QUIZ)).to_be_visible()
    return notebook.ready()


def test_lab_opens_its_start_page_by_itself_and_the_map_leads_to_a_lesson(
    browser: Browser, course: Course
) -> None:
    assert within(DEADLINE, course.opened.exists), "no browser was asked to open anything"
    page = learners_page(browser)
    page.goto(course.opened.read_text().strip())
    page.wait_for_url(course.base + course.start_page)
    start = Notebook(page, course, START).ready()
    start.run("course_map()")
    titles = [lesson.title for lesson in lessons(course.root)]
    for title in titles:
        expect(start.output("course_map()").get_by_role("link", name=title, exact=True).first).to_be_visible()
    start.output("course_map()").get_by_role("link", name=TITLE, exact=True).click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    page.context.close()


def test_lesson_runs_from_top_to_bottom_without_an_error_that_is_not_meant(lesson: Notebook) -> None:
    file = lesson.saved(lambda text: "widget-view" in text)
    cells = [cell for cell in file["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        meant = "raises-exception" in cell["metadata"].get("tags", [])
        failed = [each["evalue"] for each in cell["outputs"] if each["output_type"] == "error"]
        assert bool(failed) == meant, (cell["source"], failed)
    assert len(lesson.course.processes(LESSON)) >= STARTED
    drawing = lesson.panel.locator(".jp-MarkdownCell img").first
    drawing.scroll_into_view_if_needed()
    assert drawing.evaluate("img => img.naturalWidth") > 0


@pytest.mark.parametrize(("way", "theme"), [(Keyboard, "Light"), (Mouse, "Dark")])
def test_quiz_is_answered_wrong_and_then_right(lesson: Notebook, way: type[AtTheQuiz], theme: str) -> None:
    page, cells = lesson.page, lesson.panel.locator(".jp-Cell").count()
    at = way(lesson, "1-2")
    assert {question.kind for question in at.questions} == {"one", "several", "predict", "order", "number"}
    page.get_by_role("button", name="Clear all answers and start again").click()
    expect(page.locator(QUIZ)).to_contain_text("Score: 0 of 5 right. 5 not answered yet.")
    lesson.theme(theme)
    assert violations(page, QUIZ) == []
    for right in (False, True):
        lesson.cell('quiz("1-2")').focus()
        for question in at.questions:
            at.answer(question, right)
            expect(at.said(question)).to_contain_text("Right, at try 2." if right else "Not right.")
            expect(at.button(question)).to_be_focused()  # Tab goes on from there
        assert violations(page, QUIZ) == [], right
    expect(page.locator(QUIZ)).to_contain_text("Score: 5 of 5 right.")
    for key in ("d", "d", "x", "b", "ArrowUp"):  # at a cell, JupyterLab deletes, cuts, inserts and leaves
        page.keyboard.press(key)
    expect(at.button(at.questions[-1])).to_be_focused()
    assert lesson.panel.locator(".jp-Cell").count() == cells
    assert page.locator(QUIZ).evaluate("e => e.scrollWidth <= e.parentElement.clientWidth"), "is cut off"
    assert "5 of 5" in standing(lesson.course)


def test_exercise_says_what_is_wrong_and_then_that_it_is_right(lesson: Notebook) -> None:
    exercise = load_exercise("1-2a")
    starter, check = "def celsius", 'ex.check("tasks_1_2a")'
    lesson.write(starter, wrong_answer(exercise, "wrong_value"))
    lesson.run(starter)
    lesson.run(check)
    # after Run All, `ex` is the last exercise of the lesson: the answer says so
    expect(lesson.output(check)).to_contain_text("1-2b: Not right yet.")
    lesson.run('exercise("1-2a")')
    lesson.run(check, stay=True)
    expect(lesson.output(check)).to_contain_text("1-2a: Not right yet. For 32 °F the worker stored None")
    for theme in THEMES:
        lesson.theme(theme)
        assert violations(lesson.page, SELECTED) == [], theme
    lesson.write(starter, exercise.solution)
    lesson.run(starter)
    lesson.run(check, stay=True)
    expect(lesson.output(check)).to_contain_text("1-2a: Right. The worker ran it three times")
    for theme in reversed(THEMES):
        lesson.theme(theme)
        assert violations(lesson.page, SELECTED) == [], theme
    assert "1 of 2" in standing(lesson.course)


def wrong_answer(exercise: Definition, key: str) -> str:
    """Return the first of an exercise's wrong answers of a kind."""
    return next(source for kind, source in exercise.wrong if kind == key)


def standing(course: Course) -> str:
    """Return what ``celerylab progress`` says of the lesson."""
    (row,) = (line for line in course.run("progress").splitlines() if line.split()[:1] == ["1-2"])
    return row


def test_map_says_what_the_command_says_and_leads_to_what_is_next(lesson: Notebook, browser: Browser) -> None:
    shares = re.findall(r"\d of \d", standing(lesson.course))
    (upcoming,) = re.findall(r"Next: (\w+ \S+)", lesson.course.run("progress"))
    page = learners_page(browser)
    start = Notebook(page, lesson.course, START).open()
    start.run("course_map()")
    map_ = start.output("course_map()")
    for share in shares:
        expect(map_.get_by_role("row").filter(has_text=TITLE)).to_contain_text(share)
    expect(map_).to_contain_text(f"Next: {upcoming}")
    page.context.close()


def test_restart_of_the_kernel_ends_all_that_it_started(lesson: Notebook) -> None:
    before = lesson.course.processes(LESSON)
    assert len(before) >= STARTED
    lesson.cell("lab.start()").click(position={"x": 2, "y": 2})
    lesson.page.keyboard.press("Escape")
    lesson.page.keyboard.press("0")
    lesson.page.keyboard.press("0")
    dialog = lesson.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Restart Kernel?")
    dialog.get_by_role("button", name="Confirm Kernel Restart").click()
    assert within(DEADLINE, lambda: not before[0].is_running())
    assert within(KERNELS_END, lambda: not any(map(alive, before))), [each for each in before if alive(each)]
    lesson.ready()
    assert len(lesson.course.processes(LESSON)) == 1


def alive(process: psutil.Process) -> bool:
    """Say whether a process still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def notes(browser: Browser, course: Course, own: str) -> Iterator[Notebook]:
    """That notebook, with a lab that runs."""
    page = learners_page(browser)
    notebook = Notebook(page, course, own).open()
    notebook.run("lab.start()")
    expect(notebook.output("lab.start()")).to_contain_text("Celery Lab runs")
    yield notebook
    page.context.close()


def test_dashboard_changes_while_tasks_run_and_is_stopped_by_an_interrupt(notes: Notebook) -> None:
    notes.run("as board:")
    picture = notes.output("as board:").get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile(r"Sent: 4\d, done: (?:[1-9]|[1-3]\d),"))
    expect(picture).to_have_attribute("alt", re.compile("Waiting: 0. Sent: 41, done: 40, failed: 1"))
    notes.ready()
    notes.run("figure()")
    expect(notes.output("figure()").get_by_role("img")).to_have_attribute(
        "alt", "Dashboard: queues, rates, latency and workers; stopped, because nothing was left to do"
    )
    for theme in THEMES:
        notes.theme(theme)
        assert violations(notes.page, SHOWN) == [], theme
    notes.theme("Light")
    notes.run("idle=600")
    expect(notes.output("idle=600").get_by_role("img")).to_be_visible()
    notes.page.get_by_role("button", name="Interrupt the kernel").click()
    notes.ready()
    expect(notes.output("idle=600").get_by_role("img").last).to_have_attribute(
        "alt", re.compile("stopped by an interrupt")
    )


def test_dead_letters_are_listed_shown_replayed_and_dropped(notes: Notebook) -> None:
    page, letters = notes.page, notes.page.locator(LETTERS)
    notes.run("propagate=False")
    expect(notes.output("propagate=False")).to_contain_text("TypeError")
    notes.run("lab.dead_letters()")
    said, listed = letters.get_by_role("status"), letters.get_by_role("option")
    letters.get_by_label("Task:").fill("add")  # the dashboard has left one of its own
    page.keyboard.press("Enter")
    expect(listed).to_have_count(3)
    expect(letters).to_contain_text("unsupported operand type(s)")
    for theme in THEMES:
        notes.theme(theme)
        assert violations(page, LETTERS) == [], theme
    notes.theme("Light")
    # with the mouse
    newest = known(letters, "id").inner_text()
    listed.nth(1).click()
    expect(known(letters, "id")).not_to_have_text(newest)
    expect(known(letters, "arguments")).to_have_text(re.compile("[123], 'two'"))
    # with the keyboard
    letters.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    expect(known(letters, "id")).to_have_text(newest)
    page.keyboard.press("ArrowDown")
    expect(known(letters, "id")).not_to_have_text(newest)
    expect(letters.get_by_role("listbox")).to_be_focused()
    tab_to(page, letters.get_by_role("button", name="Drop", exact=True))
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Press Drop once more")
    page.keyboard.press("Space")
    expect(said).to_contain_text("Dropped")
    expect(listed).to_have_count(2)
    letters.get_by_role("button", name="Replay", exact=True).click()
    expect(said).to_contain_text(re.compile("Replayed .* as "))
    expect(known(letters, "state")).to_contain_text("replayed as")
    again = letters.get_by_role("button", name="Look again")
    assert within(DEADLINE, lambda: again.click() or listed.count() == 3), "the replay has failed as well"
    letters.get_by_label("State:").fill("replayed")
    page.keyboard.press("Enter")
    expect(listed).to_have_count(1)
    letters.get_by_label("State:").fill("")
    page.keyboard.press("Enter")
    expect(listed).to_have_count(3)
    everything = letters.get_by_role("button", name="Drop all listed")
    everything.click()
    expect(said).to_contain_text("Press once more to remove 3")
    everything.click()
    expect(said).to_contain_text("Dropped: 3.")
    expect(listed).to_have_count(0)
    assert violations(page, LETTERS) == []


def known(letters: Locator, what: str) -> Locator:
    """Return what is known of the chosen letter under a title."""
    return (
        letters.get_by_role("row")
        .filter(has=letters.page.get_by_role("rowheader", name=what, exact=True))
        .get_by_role("cell")
    )
