"""Links of the pages beside the lessons, followed in JupyterLab."""

from playwright.sync_api import Browser, expect

from tests.browser.jupyterlab import Course, Notebook, learners_page

START = "notebooks/start_here.ipynb"
# far down in their lessons, below figures; one has an apostrophe, which an address may not like
SECTIONS = ("3-4 A pool that can't", "4-1 Open Flower")


def test_pitfall_opens_its_lesson_at_the_section_that_shows_it(course: Course, browser: Browser) -> None:
    page = learners_page(browser)
    Notebook(page, course, START).open().panel.get_by_role("link", name="Pitfalls", exact=True).click()
    pitfalls = page.locator(".jp-MarkdownViewer")
    for section in SECTIONS:
        pitfalls.get_by_role("link", name=section).first.click()
        heading = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) h2", has_text=section.partition(" ")[2])
        expect(heading).to_be_in_viewport()
        page.get_by_role("tab", name="pitfalls.md").click()
    page.context.close()
