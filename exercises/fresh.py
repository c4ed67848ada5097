"""A learner's module, run anew each time that it is checked."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from exercises.attempt import learners_code


def fresh(name: str) -> ModuleType:
    """Import a module beside the lesson as it is now; what it raises is shown as the learner's."""
    loader = importlib.machinery.SourceFileLoader(name, str(Path(f"{name}.py").resolve()))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    with learners_code():
        loader.exec_module(module)
    return module
