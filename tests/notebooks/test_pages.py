"""The pages beside the lessons: links that arrive, a glossary in order, pitfalls that a lesson shows."""

import re
from pathlib import Path

import pytest

from celerylab import course
from tests.notebooks import toolbox_page
from tests.notebooks.pages import anchors, code_cells, links, section
from tests.notebooks.refresh import NOTEBOOKS

ROOT = NOTEBOOKS.parent
LESSONS = {lesson.id: lesson for lesson in course.lessons()}
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING")),
    *(ROOT / f"{name}.md" for name in ("INSTRUCTORS",) if (ROOT / f"{name}.md").exists()),
    *(NOTEBOOKS / f"{name}.md" for name in ("glossary", "pitfalls", "toolbox")),
    *sorted(path for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts),
]
GLOSSARY = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
PITFALLS = (NOTEBOOKS / "pitfalls.md").read_text(encoding="utf-8")
# a term, what it means, and the sections that show it
ENTRY = re.compile(r"^\*\*(?P<term>[^*]+)\*\*: (?P<meaning>.+?[.:]) (?P<links>\[.+\))$", re.MULTILINE)
ROW = re.compile(
    r"^\| (?P<seen>[^|]+) \| (?P<why>[^|]+) \| (?P<link>\[[^|]+\)) \| \[(?P<cell>\d+)\] \|$", re.MULTILINE
)
TO_SECTION = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)#]+)(?:#(?P<anchor>[^)]+))?\)")
entries = [match.groupdict() for match in ENTRY.finditer(GLOSSARY)]
rows = [match.groupdict() for match in ROW.finditer(PITFALLS)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_arrive_at_files_and_headings_that_are_there(path: Path) -> None:
    for name, target in links(path):
        file, _, anchor = target.partition("#")
        arrived = (path.parent / file).resolve() if file else path
        assert arrived.exists(), f"[{name}]({target})"
        if anchor:
            assert anchor in anchors(arrived), f"[{name}]({target}): {sorted(anchors(arrived))}"


def test_toolbox_page_is_what_the_docstrings_say() -> None:
    assert toolbox_page.PAGE.read_text(encoding="utf-8") == toolbox_page.page(), "run `make reference`"


def named_sections(text: str) -> list[tuple[str, Path, str]]:
    """Return the lesson's id, the notebook and the anchor of each link, which must be named alike."""
    found = []
    for link in TO_SECTION.finditer(text):
        lesson_id, _, heading = link["text"].partition(" ")
        lesson = LESSONS[lesson_id]
        assert lesson.notebook == (NOTEBOOKS / link["path"]).resolve(), link[0]
        assert heading.replace(" ", "-") == (link["anchor"] or lesson.title.replace(" ", "-")), link[0]
        found.append((lesson_id, lesson.notebook, link["anchor"] or ""))
    return found


def test_every_line_of_the_glossary_is_an_entry() -> None:
    assert len(entries) >= 60
    assert len(entries) == len(re.findall(r"^\*\*", GLOSSARY, re.MULTILINE))


def test_glossary_is_in_order() -> None:
    terms = [entry["term"] for entry in entries]
    assert terms == sorted(set(terms), key=str.lower)
    shown = re.findall(r"^(?:## (.+)|\*\*(.))", GLOSSARY, re.MULTILINE)
    letter = ""
    for heading, initial in shown:
        letter = heading or letter
        assert heading or initial.upper() == letter or (letter == "0-9" and initial.isdigit()), initial


def test_glossary_names_every_lesson() -> None:
    named = {lesson_id for entry in entries for lesson_id, *_ in named_sections(entry["links"])}
    assert named == set(LESSONS)


@pytest.mark.parametrize("entry", entries, ids=lambda entry: entry["term"])
def test_glossary_leads_to_a_section_that_uses_the_term(entry: dict[str, str]) -> None:
    # "acknowledgement" is also "acknowledged", "idempotent" is also "idempotency"
    stem = entry["term"].lower().split()[0].replace("/", "")[:7]
    for _, notebook, anchor in named_sections(entry["links"]):
        if anchor:
            assert stem in section(notebook, anchor).lower(), anchor


def test_pitfalls_are_many_and_each_line_is_one() -> None:
    assert len(rows) >= 40
    lines = [line for line in PITFALLS.splitlines() if line.startswith("|")]
    assert len(rows) == len([line for line in lines if not line.startswith(("| what you see", "|---"))])


@pytest.mark.parametrize("row", rows, ids=lambda row: row["seen"][:40])
def test_pitfall_is_shown_where_its_link_leads(row: dict[str, str]) -> None:
    ((_, notebook, anchor),) = named_sections(row["link"])
    shown = section(notebook, anchor)
    assert shown
    for quoted in re.findall(r"`([^`]+)`", row["seen"]):
        assert quoted in shown, quoted


@pytest.mark.parametrize("row", rows, ids=lambda row: row["seen"][:40])
def test_pitfall_names_the_cell_that_shows_it(row: dict[str, str]) -> None:
    ((_, notebook, anchor),) = named_sections(row["link"])
    quoted = re.findall(r"`([^`]+)`", row["seen"])
    shows = {
        number: sum(each in text for each in quoted)
        for number, text in code_cells(notebook, anchor).items()
        # nothing happens yet where a module is written
        if not text.startswith("%%writefile")
    }
    named = int(row["cell"])
    assert named in shows, f"the section has {sorted(shows)}"
    # what is quoted may be spread over several cells
    assert shows[named] == max(shows.values()), f"{quoted} are in {shows}"
