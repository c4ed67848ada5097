"""A real Chromium, found on this machine."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.jupyterlab import DEADLINE, Course

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 20_000  # ms; a machine that is busy takes its time


def chromium() -> str | None:
    """Return where Chromium is: ``CHROMIUM``, or one on the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")  # its event loop would be in the way of other tests of the process
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Skips if there is no Chromium; fails instead if ``CELERYLAB_BROWSER_REQUIRED`` is 1."""
    path = chromium()
    if path is None:
        why = "there is no Chromium on this machine: install one, or name it in CHROMIUM"
        if os.environ.get("CELERYLAB_BROWSER_REQUIRED") == "1":
            pytest.fail(why)
        pytest.skip(why)
    made = playwright.chromium.launch(executable_path=path, args=list(QUIET))
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own storage; the test fails if its console showed an error."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """The course as ``make lab`` starts it, over a copy that the tests may change."""
    expect.set_options(timeout=1000 * DEADLINE)
    made = Course(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()
