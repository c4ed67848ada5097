"""A learner's module, run anew each time that it is checked."""

import importlib.machinery
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from celery import _state

from exercises.attempt import learners_code


def fresh(name: str) -> ModuleType:
    """Import a module beside the lesson as it is now; what it raises is shown as the learner's."""
    loader = importlib.machinery.SourceFileLoader(name, str(Path(f"{name}.py").resolve()))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    _forget_tasks(name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with learners_code():
        loader.exec_module(module)
    return module


def _forget_tasks(name: str) -> None:
    # Celery gives the tasks of every app to each app that is finalized later, under their names: the
    # tasks of the module as it was would be there first, and those of now would be refused, with a warning.
    for make_task in list(_state._on_app_finalizers):
        task = inspect.getclosurevars(make_task).nonlocals.get("fun")
        if getattr(task, "__module__", None) == name:
            _state._on_app_finalizers.discard(make_task)
