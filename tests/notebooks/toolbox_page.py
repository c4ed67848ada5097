"""Writes ``notebooks/toolbox.md`` from the docstrings: what ``make reference`` does."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from typer.main import get_command

from celerylab import Lab
from celerylab.cli import app
from celerylab.faults import FaultTest
from celerylab.stack.beat import Beat
from celerylab.stack.broker import Broker
from celerylab.stack.flower import Flower
from celerylab.stack.mailbox import Mail
from celerylab.stack.postgres import Postgres
from celerylab.stack.process import ManagedProcess
from celerylab.stack.server import Server
from celerylab.stack.waiting import wait_for
from celerylab.stack.webhook import Received, Webhook
from celerylab.stack.wire import Wire
from celerylab.stack.worker import Worker
from celerylab.views.backoff import backoff
from celerylab.views.bars import bars
from celerylab.views.dashboard import Dashboard
from celerylab.views.dead_letters import LettersView
from celerylab.views.follow import Followed
from celerylab.views.gallery import gallery
from celerylab.views.preview import Preview
from celerylab.views.queues import Message
from celerylab.views.runs import Run
from celerylab.views.scaling import scaling
from celerylab.views.speedup import speedup
from celerylab.views.timeline import timeline
from celerylab.views.waits import waits
from celerylab.views.watch import Watch
from exercises.handle import Exercise, exercise
from quizzes import quiz
from tests.notebooks.refresh import NOTEBOOKS

PAGE = NOTEBOOKS / "toolbox.md"
OPENING = """# The toolbox

What a lesson may call, made from the docstrings by `make reference`. `help(lab.worker)` says more of a call.
[All lessons](start_here.ipynb) · [Glossary](glossary.md) · [Pitfalls](pitfalls.md)

Every lesson begins with `from celerylab import lab` and `lab.start()`.
"""
# heading, the name that stands for the object, its class, and the classes whose members are said elsewhere
OBJECTS: list[tuple[str, str, type, tuple[type, ...]]] = [
    ("The lab", "lab", Lab, ()),
    ("Every program that the lab starts: worker, Beat, server, Flower", "program", ManagedProcess, ()),
    ("What `lab.worker` returns", "worker", Worker, (ManagedProcess,)),
    ("What `lab.beat` returns", "beat", Beat, (ManagedProcess,)),
    ("What `lab.serve` returns", "server", Server, (ManagedProcess,)),
    ("What `lab.flower` returns", "flower", Flower, (ManagedProcess,)),
    ("What `lab.broker` returns", "broker", Broker, ()),
    ("What `lab.postgres` returns", "database", Postgres, ()),
    ("What `lab.wire` returns", "wire", Wire, ()),
    ("What `lab.mailbox` returns", "mailbox", Mail, ()),
    ("What `lab.webhook` returns", "hook", Webhook, ()),
    ("One request that a webhook received", "request", Received, ()),
    ("What `lab.fault_test` returns", "test", FaultTest, ()),
    ("What `lab.watch` returns", "seen", Watch, ()),
    ("One run that was seen", "run", Run, ()),
    ("What `lab.dashboard` returns", "board", Dashboard, ()),
    ("What `lab.peek` returns", "message", Message, ()),
    ("What `lab.preview` returns", "preview", Preview, ()),
    ("What `lab.follow` returns", "followed", Followed, ()),
    ("What `lab.dead_letters` returns", "letters", LettersView, ()),
    ("What `exercise` returns", "ex", Exercise, ()),
]
FUNCTIONS: list[Callable[..., object]] = [
    exercise, quiz, wait_for, backoff, bars, gallery, scaling, speedup, timeline, waits,
]  # fmt: skip
# of a fault test, what a lesson calls; the rest is for the package's own modules
FAULT_TEST = {
    "workers",
    "folder",
    "database_url",
    "broker",
    "run",
    "upload",
    "upload_bad",
    "settle",
    "report",
}
STARS = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
# the steps of `start`, and what only a neighbour calls
INTERNAL = {"spawn", "wait_answering", "wait_ready", "process", "keep", "widget", "figure", "add"}
SECTION = re.compile(r"^(\w+)\n-+\n", re.MULTILINE)


class Doc:
    """A docstring in NumPy's style, in parts."""

    def __init__(self, documented: object) -> None:
        self._text = inspect.getdoc(documented) or ""

    @cached_property
    def said(self) -> str:
        """All before the first section."""
        return _inline(SECTION.split(self._text)[0])

    @cached_property
    def summary(self) -> str:
        """The first paragraph."""
        return _inline(self._text.split("\n\n")[0])

    def named(self, section: str) -> dict[str, str]:
        """Return the first sentence on each name of a section."""
        parts = SECTION.split(self._text)
        found = dict(zip(parts[1::2], parts[2::2], strict=True)).get(section, "")
        items = re.findall(r"^(\w[^\n]*)\n((?:[ ]+[^\n]*\n?|\n)+)", found + "\n", re.MULTILINE)
        return {name: _sentence(_inline(inspect.cleandoc(text))) for name, text in items}


def _inline(text: str) -> str:
    return " ".join(re.sub(r"``(.+?)``", r"`\1`", text).split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    return re.split(r"(?<=[^.]\.) (?=[A-Z`])", text)[0]


def _called(name: str, documented: Callable[..., object]) -> tuple[str, str, dict[str, str]]:
    """Return a call with its defaults, what it does, and its parameters."""
    shown = []
    said = Doc(documented).named("Parameters")
    for each in inspect.signature(documented).parameters.values():
        if each.name == "self" or isinstance(each.default, Path):  # tests look in other folders
            said.pop(each.name, None)
            continue
        star = STARS.get(each.kind.name, "")
        shown.append(f"{star}{each.name}" + ("" if each.default is each.empty else f"={each.default!r}"))
    return f"`{name}({', '.join(shown)})`", Doc(documented).summary, said


def _row(call: str, text: str, named: dict[str, str]) -> str:
    parameters = " ".join(
        f"{', '.join(f'`{one}`' for one in name.split(', '))}: {said}" for name, said in named.items()
    )
    return f"| {call} | {text}{'<br>' if parameters else ''}{parameters} |"


def _members(cls: type, elsewhere: tuple[type, ...]) -> Iterator[tuple[str, object]]:
    known = {name for other in elsewhere for base in other.__mro__ for name in vars(base)}
    for base in cls.__mro__[:-1]:
        if base.__module__.startswith(("celerylab", "exercises")):
            for name, member in vars(base).items():
                wanted = name in FAULT_TEST if cls is FaultTest else name not in INTERNAL
                if wanted and not name.startswith("_") and name not in known:
                    known.add(name)
                    yield name, member


def _object(heading: str, name: str, cls: type, elsewhere: tuple[type, ...]) -> Iterator[str]:
    doc = Doc(cls)
    yield f"## {heading}\n"
    yield f"{doc.said}\n"
    yield "| | |\n|---|---|"
    bases = [base for base in cls.__mro__ if base not in elsewhere and base is not object]
    for attribute, said in {k: v for base in bases for k, v in Doc(base).named("Attributes").items()}.items():
        yield _row(", ".join(f"`{name}.{one}`" for one in attribute.split(", ")), said, {})
    for member, documented in _members(cls, elsewhere):
        if isinstance(documented, property):
            yield _row(f"`{name}.{member}`", Doc(documented.fget).summary, {})
        elif callable(documented):
            yield _row(*_called(f"{name}.{member}", documented))
    yield ""


def _functions() -> Iterator[str]:
    yield "## Functions\n"
    yield "| | |\n|---|---|"
    for function in FUNCTIONS:
        module = function.__module__.removesuffix(".display").removesuffix(".handle")
        call, said, parameters = _called(function.__name__, function)
        yield _row(f"{call}<br>from `{module}`", said, parameters)
    yield ""


def _commands() -> Iterator[str]:
    yield "## Commands in a terminal\n"
    yield "| | |\n|---|---|"
    yield from _command("celerylab", get_command(app))


def _command(name: str, command: object) -> Iterator[str]:
    known: set[str] = set()  # what an option does is said once in a group
    for each, sub in getattr(command, "commands", {}).items():
        if hasattr(sub, "commands"):
            yield from _command(f"{name} {each}", sub)
            continue
        arguments = [
            one.metavar or one.name.upper() for one in sub.params if one.param_type_name == "argument"
        ]
        options = {
            max(one.opts, key=len): one.help
            for one in sub.params
            if one.param_type_name == "option" and one.help
        }
        new = {option: said for option, said in options.items() if option not in known}
        again = ", ".join(f"`{option}`" for option in options if option in known)
        said = f"{sub.help} Also {again}." if again else sub.help
        known |= set(options)
        yield _row(f"`{' '.join([name, each, *arguments])}`", said, new)


def page() -> str:
    """Return the page as the docstrings give it."""
    lines = [OPENING]
    for described in OBJECTS:
        lines += _object(*described)
    lines += [*_functions(), *_commands()]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
