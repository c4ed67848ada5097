"""Run in a process of its own: serves an ASGI or WSGI app, ``module:app`` or ``module:create_app()``.

Arguments: the app, the host, the port.
"""

import importlib
import inspect
import os
import sys
from typing import Any

import uvicorn


def load(target: str) -> Any:
    """Import the app, or have it made; WSGI apps come back as ASGI apps."""
    module, _, name = target.partition(":")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as the celery command does
    found = getattr(importlib.import_module(module), name.removesuffix("()") or "app")
    if name.endswith("()"):
        found = found()
    call = found if inspect.isroutine(found) else type(found).__call__
    if inspect.iscoroutinefunction(call):
        return found
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(found)


if __name__ == "__main__":
    uvicorn.run(load(sys.argv[1]), host=sys.argv[2], port=int(sys.argv[3]), log_level="warning")
