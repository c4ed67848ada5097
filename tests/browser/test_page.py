"""The page in a real browser: served, with a real broker and real workers."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

import labtasks.web.api
from celerylab import Lab
from celerylab.stack.server import Server
from tests.labtasks.web.serving import API, KEY, SECOND, served

CSS = Path(labtasks.web.api.__file__).with_name("page") / "page.css"
LIVE, POLLING, AWAY = re.compile("^Live"), re.compile("^Not live"), re.compile("does not answer")

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[Server]:
    with served(lab, target=API) as (running, _):
        yield running


@pytest.fixture
def site(page: Page, server: Server) -> Page:
    """The page, with its key."""
    return opened(page, server.url)


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    return page


def send_long(page: Page, seconds: float) -> None:
    page.get_by_label("Seconds").fill(f"{seconds}")
    page.get_by_role("button", name="Send the long task").click()


def task(page: Page, name: str) -> Any:
    return page.get_by_role("listitem").filter(has_text=name)


def test_each_kind_is_sent_and_its_result_shown_with_nothing_from_elsewhere(
    page: Page, server: Server
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    opened(page, server.url)
    page.get_by_label("First number").fill("-1.5")
    page.get_by_role("button", name="Send the sum").click()
    page.get_by_label("Numbers").fill("3, 1 2")
    page.get_by_role("button", name="Send the list").click()
    send_long(page, 0.3)
    expect(task(page, "add(-1.5, 3)")).to_contain_text("done")
    expect(task(page, "add(-1.5, 3)")).to_contain_text("Result: 1.5")
    expect(task(page, "process_data(3 numbers)")).to_contain_text("3 numbers, sum 6, mean 2, from 1 to 3")
    expect(task(page, "long_task(0.3)")).to_contain_text("Result: done after 0.3 s")
    expect(page.locator("#link")).to_be_empty()  # nothing is followed any more
    page.goto(f"{server.url}/docs")
    expect(page.get_by_text("/tasks/process")).to_be_visible()
    assert {url for url in asked if not url.startswith((server.url, "data:"))} == set()
    assert said == []  # neither errors nor what the page's policy forbids


def test_progress_moves_while_the_task_runs(site: Page) -> None:
    send_long(site, 10)
    expect(site.locator("#link")).to_have_text(LIVE)
    bar = site.get_by_role("progressbar", name="Progress of long_task(10)")
    seen = [0.0]
    while len(seen) < 4:
        more = f"bar => bar.value > {seen[-1]} ? bar.value : null"
        handle = site.wait_for_function(more, arg=bar.element_handle())
        seen.append(float(handle.json_value()))
    assert all(one < next_ for one, next_ in pairwise(seen))
    site.get_by_role("button", name="Cancel long_task(10)").click()
    expect(bar).to_be_hidden()


def test_what_is_wrong_is_said_where_it_is(site: Page) -> None:
    site.get_by_label("Second number").fill("three")
    site.get_by_role("button", name="Send the sum").click()
    expect(site.get_by_role("alert")).to_have_text("“three” is not a number.")
    send_long(site, 61)
    expect(site.get_by_role("alert").nth(1)).to_contain_text("body.seconds: Input should be less than")
    site.get_by_label("API key").fill("not the key of this service")
    site.get_by_role("button", name="Use this key").click()
    send_long(site, 1)
    expect(site.get_by_role("alert").nth(1)).to_have_text("The service does not take this key.")
    expect(site.get_by_label("API key")).to_be_focused()
    expect(site.get_by_text("None yet.")).to_be_visible()


def refuse(socket: WebSocketRoute) -> None:
    socket.close(code=1011)


def cut(socket: WebSocketRoute) -> None:
    """Break the connection after three messages."""
    left = [3]
    behind = socket.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            socket.close(code=4000)
        else:
            socket.send(message)

    behind.on_message(pass_on)


@pytest.mark.parametrize("broken", [refuse, cut])
def test_without_the_web_socket_the_page_asks_and_says_so(page: Page, server: Server, broken: Any) -> None:
    page.route_web_socket(re.compile("/events$"), broken)
    opened(page, server.url)
    send_long(page, 20)
    expect(page.locator("#link")).to_have_text(POLLING)
    expect(task(page, "long_task(20)")).to_contain_text(re.compile(r"[1-9]\d?(\.\d)? of 20 s"))
    page.get_by_role("button", name="Cancel long_task(20)").click()
    expect(task(page, "long_task(20)")).to_contain_text("cancelled")
    expect(page.locator("#link")).to_be_empty()


def test_page_goes_on_when_service_or_broker_were_away(page: Page, lab: Lab) -> None:
    broker = lab.broker(keep=True)
    with served(lab, broker, SECOND) as (service, _):
        opened(page, service.url)
        send_long(page, 0.5)
        expect(task(page, "long_task(0.5)")).to_contain_text("waiting")
        service.kill()
        expect(page.locator("#link")).to_have_text(AWAY)
        service.start()
        expect(page.locator("#link")).to_have_text(POLLING)
        broker.stop()
        expect(page.locator("#link")).to_have_text(AWAY)
        page.get_by_role("button", name="Send the sum").click()
        expect(page.get_by_role("alert")).to_contain_text("The broker is down. Nothing was sent")
        broker.start()
        with lab.worker("labtasks.app:app", name="late", concurrency=1, broker=broker) as worker:
            expect(task(page, "long_task(0.5)")).to_contain_text("done after 0.5 s")
            worker.kill()


def test_tasks_and_key_are_remembered_over_a_reload(site: Page) -> None:
    site.get_by_role("button", name="Send the sum").click()
    expect(task(site, "add(2, 3)")).to_contain_text("Result: 5")
    send_long(site, 60)
    expect(task(site, "long_task(60)")).to_contain_text("running")
    site.reload()
    expect(task(site, "add(2, 3)")).to_contain_text("Result: 5")
    expect(task(site, "long_task(60)")).to_contain_text("running")
    expect(site.locator("#link")).to_have_text(LIVE)
    site.get_by_role("button", name="Cancel long_task(60)").click()
    expect(task(site, "long_task(60)")).to_contain_text("cancelled")
    assert site.evaluate("localStorage.length") == 0  # the key goes with the tab


def test_everything_can_be_done_with_the_keyboard_alone(page: Page, server: Server) -> None:
    page.goto(server.url)
    press, focus = page.keyboard.press, page.locator(":focus")
    visited = []

    def tab_to(name: str) -> None:
        for _ in range(20):
            press("Tab")
            visited.append(focus.evaluate("e => e.getAttribute('aria-label') ?? e.innerText ?? ''"))
            assert focus.evaluate("e => getComputedStyle(e).outlineStyle") == "solid", "focus is not seen"
            if focus.and_(page.get_by_label(name).or_(page.get_by_role("button", name=name))).count():
                return
        raise AssertionError(f"{name} is not reached: {visited}")

    tab_to("API key")
    page.keyboard.type(KEY)
    press("Enter")
    tab_to("First number")
    tab_to("Seconds")
    press("ControlOrMeta+a")
    page.keyboard.type("60")
    press("Enter")
    expect(page.get_by_label("Seconds")).to_be_focused()  # a task that appears takes the focus from nobody
    expect(task(page, "long_task(60)")).to_contain_text("running")
    tab_to("Cancel long_task(60)")
    button = focus.element_handle()
    press("Enter")
    expect(task(page, "long_task(60)")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Remove long_task(60) from the list")).to_be_focused()
    assert page.evaluate("button => button === document.activeElement", button)
    # a screen reader hears the end, and not every step of the way
    expect(page.locator("#news")).to_have_text("long_task(60): cancelled.")
    press("Enter")
    expect(page.get_by_role("heading", name="Your tasks")).to_be_focused()
    expect(page.get_by_text("None yet.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_needs_no_scrolling_sideways(browser: Browser, server: Server, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, color_scheme=scheme, has_touch=True)
    page = opened(context.new_page(), server.url)
    page.get_by_label("First number").fill("0.000123456789123456789")
    page.get_by_label("Second number").fill("123456789.123456789")
    page.get_by_role("button", name="Send the sum").tap()
    expect(task(page, "add(")).to_contain_text("Result: 123456789.12")
    page.get_by_label("Numbers").fill("x" * 500)
    page.get_by_role("button", name="Send the list").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, "a finger is wider"
    context.close()


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(scheme: int) -> None:
    block = CSS.read_text().split(":root {")[1 + scheme].partition("}")[0]
    colour = dict(re.findall(r"--([\w-]+): (#\w+)", block))
    for ground in ("ground", "card"):
        for ink in ("ink", "soft", "blue", "bad", "good"):
            assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
        assert contrast(colour["line"], colour[ground]) >= 3, "the frame of a field"
    assert contrast(colour["on-blue"], colour["blue"]) >= 4.5


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
