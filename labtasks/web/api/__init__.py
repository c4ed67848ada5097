"""Tasks over HTTP: an API, its documentation, and a page for people.

``uvicorn labtasks.web.api:api`` serves it; ``create_app()`` makes it for a program of one's own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    api: FastAPI

__all__ = ["api", "create_app"]


def __getattr__(name: str) -> Any:
    # made when a server asks for it: importing a part of the package needs no settings
    if name in __all__:
        from labtasks.web.api.app import create_app

        found = create_app if name == "create_app" else create_app()
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
