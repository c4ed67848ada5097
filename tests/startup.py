"""Loaded before anything else (``pytest -p tests.startup``): makes a test process start sooner.

nbformat loads jsonschema's checks of every format there is. The one for RFC 3987 compiles a
grammar for about a second, in each test process, and no notebook has a field of that format.
"""

import sys

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # an import of it fails, as if absent
