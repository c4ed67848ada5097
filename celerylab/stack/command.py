"""``celery``, without what the lab never asks it for: half of the time that a worker takes to start.

``celery`` loads every subcommand that it has, before it looks which one is meant: the prompt of
``celery amqp repl``, and those that packages add, of which Flower's loads all of Flower. Here
they are loaded for the command line that names them.
"""

import importlib
import importlib.metadata
import sys
from types import ModuleType
from typing import Any

GROUP = "celery.commands"  # of the entry points of packages that add a subcommand


def main() -> None:
    """Run Celery's command line."""
    prompt = ModuleType("click_repl")
    prompt.__dict__["register_repl"] = lambda group: group
    sys.modules["click_repl"] = prompt
    entry_points = importlib.metadata.entry_points

    def named(**query: Any) -> Any:
        found: Any = entry_points(**query)
        return [each for each in found if each.name in sys.argv] if query.get("group") == GROUP else found

    importlib.metadata.entry_points = named  # Celery reads it while it is imported
    try:
        importlib.import_module("celery.bin.celery")
    finally:
        importlib.metadata.entry_points = entry_points
    from celery.__main__ import main as celery

    celery()


if __name__ == "__main__":
    main()
