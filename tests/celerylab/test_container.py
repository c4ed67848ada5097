"""What a container does before its service starts, without a container."""

import stat
from pathlib import Path

import pytest

from celerylab.container import secrets
from celerylab.container.notebooks import renew
from celerylab.container.secrets import BadSecret


@pytest.fixture(autouse=True)
def no_secret_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in secrets.NAMES:
        monkeypatch.delenv(name, raising=False)


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    assert secrets.make(tmp_path) == list(secrets.NAMES)
    first = [secrets.show(name, tmp_path) for name in secrets.NAMES]
    assert len(set(first)) == len(first)
    assert min(map(len, first)) >= 32
    assert secrets.make(tmp_path) == []
    assert [secrets.show(name, tmp_path) for name in secrets.NAMES] == first


def test_given_secret_replaces_the_made_one_and_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.make(tmp_path)
    monkeypatch.setenv("REDIS_PASSWORD", "chosen-by-me")
    assert secrets.make(tmp_path) == []
    assert secrets.show("REDIS_PASSWORD", tmp_path) == "chosen-by-me"
    assert stat.S_IMODE((tmp_path / "REDIS_PASSWORD").stat().st_mode) == 0o444


def test_one_bad_secret_leaves_all_unwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWER_PASSWORD", "a b c d e f")
    with pytest.raises(BadSecret, match="FLOWER_PASSWORD"):
        secrets.make(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_secret_that_is_none_or_not_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match=r"'PASSWD' is no secret.*REDIS_PASSWORD"):
        secrets.show("PASSWD", tmp_path)
    with pytest.raises(BadSecret, match="docker compose up"):
        secrets.show("REDIS_PASSWORD", tmp_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_notebooks_are_renewed_but_for_those_the_learner_changed_or_removed(tmp_path: Path) -> None:
    published, own = tmp_path / "published", tmp_path / "own"
    own.mkdir()
    names = ("phase1/read.ipynb", "phase1/changed.ipynb", "phase1/removed.ipynb")
    for name in names:
        write(published / name, "first edition")
    assert renew(published, own) == sorted(names)
    assert renew(published, own) == []

    write(own / "phase1/changed.ipynb", "the learner's")
    (own / "phase1/removed.ipynb").unlink()
    write(own / "phase1/tasks_1_2.py", "the learner's, too")
    for name in (*names, "phase2/new.ipynb"):
        write(published / name, "second edition")
    assert renew(published, own) == ["phase1/read.ipynb", "phase2/new.ipynb"]
    assert (own / "phase1/read.ipynb").read_text() == "second edition"
    assert (own / "phase1/changed.ipynb").read_text() == "the learner's"
    assert not (own / "phase1/removed.ipynb").exists()
    assert (own / "phase1/tasks_1_2.py").exists()
