"""docker-compose.yml, .env.example and the README agree; needs no engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from celerylab.container.secrets import NAMES
from celerylab.container.services import SERVICES, lab_environment

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICE = COMPOSE["services"]
ONE_SHOT = {"settings", "postgres-settings", "app"}
README = (ROOT / "README.md").read_text()
VARIABLES = {*re.findall(r"\$\{(\w+):-", TEXT), *SERVICE["settings"]["environment"]}


@pytest.mark.parametrize("name", SERVICE)
def test_service_is_guarded(name: str) -> None:
    service = SERVICE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert not service.get("privileged")
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(set(SERVICE) - ONE_SHOT))
def test_service_that_stays_says_how_it_is(name: str) -> None:
    assert SERVICE[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(set(SERVICE) - {"settings"}))
def test_service_waits_for_what_it_needs(name: str) -> None:
    waits = SERVICE[name]["depends_on"]
    assert waits["settings"]["condition"] == "service_completed_successfully"
    for other, wait in waits.items():
        one_shot = other in ONE_SHOT
        assert wait["condition"] == ("service_completed_successfully" if one_shot else "service_healthy")


def test_worker_and_notebooks_share_a_folder_and_reach_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celerylab.container.services.read", lambda _name: "sqlite")
    assert SERVICE["jupyter"]["environment"]["CELERYLAB_SERVE_HOST"] == "jupyter"
    assert lab_environment()["CELERYLAB_WORK_FOLDER"].startswith("/data/")
    for name in ("worker", "jupyter"):
        assert "data:/data" in SERVICE[name]["volumes"]
        assert "networks" not in SERVICE[name]


def test_images_are_the_projects_own_or_the_three_public_ones() -> None:
    images = {service["image"] for service in SERVICE.values()}
    assert {image for image in images if not image.startswith("celery-lab-")} == {"redis:8.0", "postgres:17"}
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", dockerfile, re.MULTILINE)
    own = {stage for _, stage in stages}
    assert {base for base, _ in stages} - own == {"python:3.13-slim"}
    assert not dockerfile.startswith("# syntax")


def test_no_secret_has_a_value_in_the_project() -> None:
    example = (ROOT / ".env.example").read_text()
    for name in NAMES:
        assert not re.search(rf"^\s*{name}\s*[:=](?!\$\$\(cat)", TEXT + example, re.MULTILINE)
        assert re.search(rf"^# {name}=", example, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(SERVICE))
def test_readme_has_every_service(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", README, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_readme_and_example_have_every_variable(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", README, re.MULTILINE)
    assert re.search(rf"^# {name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_every_program_of_a_container_is_started_by_a_service() -> None:
    started = {
        service["command"].partition("start ")[2]
        for service in SERVICE.values()
        if isinstance(service["command"], str)
    }
    assert started - {""} == set(SERVICES)
