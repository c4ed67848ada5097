"""The records at the prompt: ``python -m labtasks.inspect_tasks list``, ``show``, ``jobs``."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from labtasks.dead_letters import BadTime, moment
from labtasks.records.reading import NoSuchRecord, count, find, jobs_of, lines_of, record
from labtasks.records.states import STATES
from labtasks.records.tables import CeleryTaskRecord
from labtasks.settings import SettingsError

app = typer.Typer(help="What became of each task.", no_args_is_help=True, rich_markup_mode=None)

State = Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STATES)}; give it again for more.")]
Name = Annotated[str | None, typer.Option(help="The task's name, with its module or without; * is anything.")]
Since = Annotated[str | None, typer.Option(help="Changed since: 30m, 2h, 7d ago, or 2026-02-28T09:00.")]
Worker = Annotated[str | None, typer.Option(help="The node that ran it; * is anything.")]
Job = Annotated[str | None, typer.Option(help="The job that it belongs to.")]
Limit = Annotated[int, typer.Option(min=1, help="So many at most, the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_(
    state: State = None,
    name: Name = None,
    since: Since = None,
    worker: Worker = None,
    job: Job = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List records, the newest first."""
    with refusals():
        if unknown := [each for each in state or () if each.upper() not in STATES]:
            raise typer.BadParameter(f"there is no state {unknown[0]}; there are {', '.join(STATES)}")
        wanted: dict[str, Any] = {
            "states": [each.upper() for each in state or ()],
            "name": name,
            "since": moment(since).timestamp() if since else None,
            "worker": worker,
            "job": job,
        }
        found, n = find(limit=limit, **wanted), count(**wanted)
    if as_json:
        say_json([one.as_dict() for one in found])
        return
    rows = [
        [_clock(one), one.name, one.state, str(one.retries), one.worker, _took(one), one.task_id]
        for one in found
    ]
    say_table(("changed", "task", "state", "retries", "worker", "took", "id"), rows)
    typer.echo(f"{len(found)} of {n}" if n else "There is none.")


@app.command()
def show(task_id: str, lines: Limit = 50, as_json: AsJson = False) -> None:
    """Show one record, and what was logged of it."""
    with refusals():
        one, logged = record(task_id), lines_of(task_id, lines)
    if as_json:
        say_json({**one.as_dict(), "log": logged})
        return
    known = {name: value for name, value in one.as_dict().items() if value is not None}
    traceback = known.pop("traceback", None)
    wide = max(map(len, known))
    for name, value in known.items():
        typer.echo(f"{name:<{wide}}  {value if isinstance(value, str) else json.dumps(value)}")
    if traceback:
        typer.echo(f"\n{traceback.rstrip()}")
    if logged:
        typer.echo("")
    for line in logged:
        typer.echo(f"{line['at'][11:23]} {line['level']:<7} {line['text']}")


@app.command()
def jobs(
    status: Annotated[str | None, typer.Option(help="running, success, partial, failed or stale.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with refusals():
        found = jobs_of(status, limit)
    if as_json:
        say_json([one.as_dict() for one in found])
        return
    rows = [
        [one.job, one.target, one.status, str(one.succeeded), str(one.failed), str(one.total)]
        for one in found
    ]
    say_table(("job", "target", "status", "succeeded", "failed", "of"), rows)


@contextmanager
def refusals() -> Iterator[None]:
    """Say in one line what can't be done."""
    try:
        yield
    except (NoSuchRecord, BadTime, SettingsError) as refused:
        sys.exit(f"labtasks.inspect_tasks: {refused}")
    except SQLAlchemyError as error:
        first, _, _ = str(getattr(error, "orig", None) or error).strip().partition("\n")
        sys.exit(f"labtasks.inspect_tasks: the database does not answer: {first}")


def say_json(value: object) -> None:
    """Write JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say_table(titles: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Write a table, as wide as it must be if nobody looks at it in a terminal."""
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(*(escape(cell or "") for cell in row))
    console = Console(highlight=False)
    if not sys.stdout.isatty():  # rich also believes variables that a notebook's kernel sets
        widths = [max(len(row[i] or "") for row in [titles, *rows]) + 2 for i in range(len(titles))]
        console = Console(highlight=False, force_terminal=False, no_color=True, width=sum(widths))
    console.print(table)


def _clock(one: CeleryTaskRecord) -> str:
    return (
        datetime.fromtimestamp(one.finished_at or one.changed_at).astimezone().isoformat(" ", "seconds")[:19]
    )


def _took(one: CeleryTaskRecord) -> str:
    return "" if one.runtime is None else f"{one.runtime:.3f} s"


if __name__ == "__main__":
    app(prog_name="python -m labtasks.inspect_tasks")
