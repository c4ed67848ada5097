"""Flower shows itself to who knows its password, here and through JupyterLab, and ends with the lab."""

import re
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from celerylab import Lab
from celerylab.errors import LabError, NoSuchModule
from celerylab.stack.flower import Flower, FlowerView
from celerylab.stack.waiting import wait_for
from tests.celerylab.test_jupyter import Lab as JupyterLab
from tests.celerylab.test_jupyter import start  # noqa: F401  # a fixture

STATIC = re.compile(r'(?:src|href)="([^"]*/static/[^"]*)"')


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    made.start(private=True)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def flower(lab: Lab) -> Flower:
    return lab.flower()


def test_login_is_asked_for_everywhere_and_the_password_is_not_seen(lab: Lab, flower: Flower) -> None:
    strangers = None, (flower.user, "guess"), ("guess", flower.password)
    for path in ("", "tasks", "api/tasks", "api/workers"):
        for login in strangers:
            assert httpx.get(flower.url + path, auth=login, trust_env=False).status_code == 401, path
        assert httpx.get(flower.url + path, auth=flower.login, trust_env=False).status_code == 200, path
    # these two are open to everybody, whatever the settings: lesson 4-1 says so
    for path in ("metrics", "healthcheck"):
        assert httpx.get(flower.url + path, trust_env=False).status_code == 200, path
    with pytest.raises(LabError, match="401"):
        flower.api("tasks", auth=(flower.user, "guess"))
    arguments = psutil.Process(flower.pid).cmdline()
    assert "--address=127.0.0.1" in arguments
    for public in (*arguments, repr(flower), str(FlowerView(flower)._repr_mimebundle_())):
        assert flower.password not in public


def test_sees_what_is_sent_as_soon_as_it_has_started(lab: Lab, flower: Flower) -> None:
    lab.client.send_task("labtasks.basics.add", (2, 3), task_id="sum", queue="labtasks").get(timeout=20)
    wait_for(1, "task", lambda: [each for each in flower.api("tasks").values() if each["result"] == "5"], 20)
    assert list(flower.api("workers?refresh=1")) == [lab.bundled.node]


def test_opens_through_jupyterlab_with_both_keys(
    lab: Lab,
    flower: Flower,
    start: Callable[..., JupyterLab],  # noqa: F811
) -> None:
    base, _, token = start().ready()
    with httpx.Client(base_url=base, trust_env=False, timeout=30) as browser:
        assert browser.get(flower.path, auth=flower.login).status_code == 302  # to JupyterLab's login
        browser.get("lab", params={"token": token})
        assert browser.get(flower.path).status_code == 401
        page = browser.get(flower.path, auth=flower.login)
        assert "bundled@lab" in page.text
        files = STATIC.findall(page.text)
        assert files
        for file in files:
            assert browser.get(file, auth=flower.login).status_code == 200, file
        links = re.findall(r'<a [^>]*href="([^"#]+)"', page.text)
        assert all(link.startswith(flower.path) for link in links if link.startswith("/"))
        assert flower.path in FlowerView(flower).html()
        # and to no other machine
        for host in ("192.0.2.1:80", "example.com:80"):
            assert browser.get(f"proxy/absolute/{host}/").status_code == 403


def test_another_takes_its_place_and_both_end_with_the_lab(flower: Flower, lab: Lab) -> None:
    second = lab.flower()
    assert (flower.alive, second.alive) == (False, True)
    assert repr(flower).startswith("Flower of labtasks.app:app: stopped")
    with pytest.raises(NoSuchModule):
        lab.flower("missing")
    lab.stop()
    assert not second.alive
