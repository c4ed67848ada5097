"""Feedback templates, proved against what the check gives them before a learner meets one."""

import ast
import string
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from exercises import texts

DEFAULT_KEYS = {"right": "right", "not_right": None, "not_attempted": "not_attempted"}
# What the engine itself gives to the messages that it has for every exercise.
ENGINE_FACTS = {"not_attempted": [], "raised": ["traceback"], "lab": ["problem"]}
WRONG_BESIDE_FEEDBACK = ("raised", "lab")


@dataclass(frozen=True)
class Given:
    """One place of a check that gives an outcome."""

    key: str
    facts: Collection[str]
    line: int
    complete: bool


def check_feedback(feedback: Mapping[str, str], wrong: Collection[str], source: str) -> str:
    """Return what is wrong with an exercise's messages, or an empty text.

    Parameters
    ----------
    feedback
        The module's FEEDBACK.
    wrong
        The keys of its WRONG.
    source
        The module's source text, where ``not_right("key", fact=...)`` is looked up.
        A key that is computed is not judged here.
    """
    return next(_problems(feedback, wrong, source), "")


def fill(template: str, facts: Mapping[str, object]) -> str:
    """Write a message. Raises KeyError, with the name, for a fact that is missing."""
    return template.format_map(facts).strip()


def _problems(feedback: Mapping[str, str], wrong: Collection[str], source: str) -> Iterator[str]:
    if "right" not in feedback:
        yield texts.NO_RIGHT
    wanted = {}
    for key, template in feedback.items():
        try:
            wanted[key] = list(_placeholders(template))
        except (ValueError, TypeError) as problem:
            yield texts.BAD_TEMPLATE.format(key=key, problem=problem)
    known = ", ".join(feedback)
    for key in wrong:
        if key not in (feedback.keys() - {"right", "not_attempted"}) and key not in WRONG_BESIDE_FEEDBACK:
            yield texts.WRONG_KEY.format(key=key, known=known)
    given = [Given(key, facts, 0, True) for key, facts in ENGINE_FACTS.items()] + list(_given(source))
    for each in given:
        if each.key not in feedback and each.key not in ENGINE_FACTS:
            yield texts.UNKNOWN_KEY.format(line=each.line, key=each.key, known=known)
        for name in wanted.get(each.key, []):
            if each.complete and name not in each.facts:
                facts = ", ".join(each.facts) or texts.NOTHING
                yield texts.UNKNOWN_PLACEHOLDER.format(key=each.key, name=name, line=each.line, given=facts)


def _placeholders(template: str) -> Iterator[str]:
    for _, name, _, _ in string.Formatter().parse(template):
        if name is not None:
            if not name.isidentifier():
                raise ValueError(f"{{{name}}}")
            yield name


def _given(source: str) -> Iterator[Given]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id not in DEFAULT_KEYS:
            continue
        key = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if not node.args:
            key = DEFAULT_KEYS[node.func.id]
        if isinstance(key, str):
            names = [keyword.arg for keyword in node.keywords]
            yield Given(key, [name for name in names if name], node.lineno, complete=None not in names)
