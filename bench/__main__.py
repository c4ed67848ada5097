"""Measure every promise and print a row for each; names choose some: ``start memory``."""

import sys
from importlib import import_module

ROWS = (
    "start",
    "throughput",
    "memory",
    "notebooks",
    "draw",
    "timeline",
    "pictures",
    "idempotency",
    "dead_letter_hooks",
    "dead_letters",
    "records",
    "api_submit",
    "api_status",
    "api_delay",
    "api_latency",
)


def main(wanted: list[str]) -> int:
    """Return 1 if a promise is missed, 2 for a name that there is not."""
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        print(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    missed = 0
    for name in wanted or ROWS:
        row = import_module(f"bench.{name}").measure()
        print(row, flush=True)
        missed += not row.kept
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
