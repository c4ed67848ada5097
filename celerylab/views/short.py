"""Values in a few letters."""

from typing import Any

LONGEST = 18


def short(value: Any, longest: int = LONGEST) -> str:
    """Return a value's ``repr``, cut in its middle if it is long.

    A path or an address is shown by its last part: what comes before differs from machine to
    machine.
    """
    if isinstance(value, str) and "/" in value.strip("/"):
        value = "…/" + value.rstrip("/").rpartition("/")[2]
    text = repr(value)
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"
