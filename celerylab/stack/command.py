"""``celery``, without the prompt of ``celery amqp repl``.

That prompt is loaded with every subcommand, and takes a quarter of a second of each worker's
start. Nothing in the lab opens it.
"""

import sys
from types import ModuleType


def main() -> None:
    """Run Celery's command line."""
    prompt = ModuleType("click_repl")
    prompt.__dict__["register_repl"] = lambda group: group
    sys.modules["click_repl"] = prompt
    from celery.__main__ import main as celery

    celery()


if __name__ == "__main__":
    main()
