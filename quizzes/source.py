"""YAML with its line numbers.

Every scalar is read as text, except under the few fields that hold numbers: a choice may
be ``True``, ``None`` or ``1_000`` without quotes, and arrives as it was typed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from quizzes import texts
from quizzes.errors import BadQuiz

Steps = tuple[str | int, ...]
"""The way to a place in the file: field names and list positions."""

NUMBER_FIELDS = frozenset({"answer", "tolerance", "puts", "before"})
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


@dataclass(slots=True)
class Source:
    """The content of a file, and the line on which each part of it stands."""

    path: Path
    content: Any = None
    lines: dict[Steps, int] = field(default_factory=dict)

    def line(self, steps: Steps) -> int:
        """Find the line of a place, or of what encloses it when it is missing."""
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def refuse(self, steps: Steps, problem: str, expected: str) -> BadQuiz:
        """Make the error for a place in this file."""
        return BadQuiz(self.path, self.line(steps), problem, expected)


def read(path: Path) -> Source:
    """Read a YAML file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Source
        Its content, of ``dict``, ``list``, ``str``, ``int`` and ``float``.

    Raises
    ------
    BadQuiz
        If it is not YAML, is empty, or says something twice.
    """
    source = Source(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadQuiz(path, 1, texts.NOT_UTF8, texts.EXPECT_UTF8) from None
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise _unreadable(path, text, error) from None
    if node is None:
        raise BadQuiz(path, 1, texts.EMPTY_FILE, texts.EXPECT_FILE)
    source.content = _build(node, (), source, set())
    return source


def _build(node: yaml.Node, steps: Steps, source: Source, met: set[int]) -> Any:
    line = node.start_mark.line + 1
    # The line of a field is that of its name; the name was entered before its value is built.
    source.lines.setdefault(steps, line)
    if id(node) in met:
        raise BadQuiz(source.path, source.line(steps), texts.ALIAS, texts.EXPECT_NO_ALIAS)
    met.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return dict(_fields(node, steps, source, met))
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*steps, place), source, met) for place, item in enumerate(node.value)]
    return _scalar(str(node.value), steps)


def _fields(node: yaml.MappingNode, steps: Steps, source: Source, met: set[int]) -> Iterator[tuple[str, Any]]:
    for name, value in node.value:
        line = name.start_mark.line + 1
        if not isinstance(name, yaml.ScalarNode):
            raise BadQuiz(source.path, line, texts.KEY_NOT_TEXT, texts.EXPECT_KEY_TEXT)
        here = (*steps, name.value)
        if here in source.lines:
            problem = texts.DUPLICATE_KEY.format(key=name.value)
            raise BadQuiz(source.path, line, problem, texts.EXPECT_KEY_ONCE)
        source.lines[here] = line
        yield name.value, _build(value, here, source, met)


def _scalar(text: str, steps: Steps) -> str | int | float:
    if steps and steps[-1] in NUMBER_FIELDS and _NUMBER.fullmatch(text):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text.rstrip()


def _unreadable(path: Path, text: str, error: yaml.YAMLError) -> BadQuiz:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    reason = str(getattr(error, "problem", None) or error).splitlines()[0]
    expected = texts.EXPECT_YAML
    if mark and mark.index < len(text):
        character = text[mark.index]
        if character == "\t" or "\t" in text.splitlines()[mark.line][: mark.column]:
            expected = texts.EXPECT_NO_TAB
        elif "cannot start any token" in reason:
            expected = texts.EXPECT_QUOTED.format(character=character)
        elif "mapping values" in reason:
            expected = texts.EXPECT_NO_COLON
    return BadQuiz(path, line, texts.YAML_PROBLEM.format(problem=reason), expected)
