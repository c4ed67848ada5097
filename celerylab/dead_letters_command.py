"""``celerylab dead-letters``: list, show, replay, drop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celerylab import texts
from celerylab.errors import LabError

if TYPE_CHECKING:
    from celerylab.dead_letters import Store

KINDS = "exception, expired, rejected and so on"
STATES = "open, claimed, replayed"
WIDE = 60  # characters of what has happened, in the list

app = typer.Typer(help=texts.LETTERS_HELP, no_args_is_help=True, rich_markup_mode=None)

OneId = Annotated[str, typer.Argument(metavar="ID", help=texts.LETTER_ID_HELP)]
SomeId = Annotated[str | None, typer.Argument(metavar="ID", help=texts.LETTER_ID_HELP)]
Url = Annotated[str | None, typer.Option(help=texts.LETTERS_URL_HELP)]
Name = Annotated[str | None, typer.Option(help=texts.LETTERS_NAME_HELP)]
Task = Annotated[str | None, typer.Option(help=texts.LETTERS_TASK_HELP)]
Kind = Annotated[str | None, typer.Option(help=texts.LETTERS_KIND_HELP.format(kinds=KINDS))]
Raised = Annotated[str | None, typer.Option("--exception", help=texts.LETTERS_EXCEPTION_HELP)]
Since = Annotated[str | None, typer.Option(help=texts.LETTERS_SINCE_HELP)]
Until = Annotated[str | None, typer.Option(help=texts.LETTERS_UNTIL_HELP)]
Text = Annotated[str | None, typer.Option(help=texts.LETTERS_TEXT_HELP)]
State = Annotated[str | None, typer.Option(help=texts.LETTERS_STATE_HELP.format(states=STATES))]
All = Annotated[bool, typer.Option("--all", help=texts.LETTERS_ALL_HELP)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=texts.YES_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help=texts.LETTERS_JSON_HELP)]


@app.command("list", help=texts.LETTERS_LIST_HELP)
def list_(
    task: Task = None,
    kind: Kind = None,
    exception: Raised = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    state: State = None,
    limit: Annotated[int, typer.Option(min=1, help=texts.LETTERS_LIMIT_HELP)] = 20,
    page: Annotated[int, typer.Option(min=1, help=texts.LETTERS_PAGE_HELP)] = 1,
    as_json: AsJson = False,
    url: Url = None,
    name: Name = None,
) -> None:
    """List dead letters."""
    with _store(url, name) as store:
        wanted = _filter(task, kind, exception, since, until, text, state)
        n = store.count(wanted)
        found = store.find(wanted, limit=limit, skip=(page - 1) * limit)
        if as_json:
            typer.echo(_json([letter.as_dict() for letter in found]))
            return
        if found:
            first = (page - 1) * limit + 1
            last = first + len(found) - 1
            said = texts.LETTERS_MORE if last < n else texts.LETTERS_PAGE
            typer.echo(_table(found))
            typer.echo(said.format(first=first, last=last, n=n, page=page + 1))
        elif n:
            typer.echo(texts.LETTERS_NO_PAGE.format(page=page, n=n, pages=-(-n // limit)))
        elif every := store.count():
            typer.echo(texts.LETTERS_NONE_FIT.format(all=every))
        else:
            typer.echo(texts.LETTERS_NONE)
        gone = store.gone()
        if any(gone.values()):
            typer.echo(texts.LETTERS_GONE.format(**gone))


@app.command(help=texts.LETTERS_SHOW_HELP)
def show(letter_id: OneId, as_json: AsJson = False, url: Url = None, name: Name = None) -> None:
    """Show one dead letter."""
    with _store(url, name) as store:
        letter = store.get(letter_id)
    if as_json:
        typer.echo(_json(letter.as_dict()))
        return
    from celerylab.views.letters import described

    rows = described(letter)
    wide = max(len(title) for title, _ in rows)
    for title, value in rows:
        typer.echo(f"{title:<{wide}}  {value}")
    if letter.traceback:
        typer.echo(f"\n{letter.traceback.rstrip()}")


@app.command(help=texts.LETTERS_REPLAY_HELP)
def replay(
    letter_id: SomeId = None,
    every: All = False,
    task: Task = None,
    kind: Kind = None,
    exception: Raised = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    force: Annotated[bool, typer.Option("--force", help=texts.LETTERS_FORCE_HELP)] = False,
    yes: Yes = False,
    url: Url = None,
    name: Name = None,
) -> None:
    """Replay one or all."""
    given = (task, kind, exception, since, until, text, None)
    _check(letter_id, every=every, filtered=any(given))
    if force and not letter_id:
        raise LabError(texts.LETTERS_FORCE_NEEDS_ID)
    with _store(url, name) as store:
        if letter_id:
            new_id = _package().replay(store, _celery(url), letter_id, force=force)
            typer.echo(texts.LETTERS_REPLAYED.format(id=letter_id, new_id=new_id))
            return
        wanted = _filter(*given[:-1], "open")
        if not _agreed(store, wanted, texts.LETTERS_ASK_REPLAY, yes=yes):
            return
        sent = refused = 0
        for one in _package().replay_all(store, _celery(url), wanted):
            sent += one.new_id is not None
            refused += one.new_id is None
            said = texts.LETTERS_REPLAYED if one.new_id else texts.LETTERS_NOT_REPLAYED
            typer.echo(said.format(**one._asdict()), err=one.new_id is None)
        typer.echo(texts.LETTERS_SUMMARY.format(sent=sent, refused=refused))
        raise typer.Exit(int(bool(refused)))


@app.command(help=texts.LETTERS_DROP_HELP)
def drop(
    letter_id: SomeId = None,
    every: All = False,
    task: Task = None,
    kind: Kind = None,
    exception: Raised = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    state: State = None,
    yes: Yes = False,
    url: Url = None,
    name: Name = None,
) -> None:
    """Drop one or all."""
    given = (task, kind, exception, since, until, text, state)
    _check(letter_id, every=every, filtered=any(given))
    with _store(url, name) as store:
        dropped = 0
        if letter_id:
            store.drop(letter_id)
            dropped = 1
        else:
            wanted = _filter(*given)
            if not _agreed(store, wanted, texts.LETTERS_ASK_DROP, yes=yes):
                return
            dropped = store.drop_all(wanted)
        typer.echo(texts.LETTERS_DROPPED.format(n=dropped))


def _check(letter_id: str | None, *, every: bool, filtered: bool) -> None:
    if letter_id and every:
        raise LabError(texts.LETTERS_NOT_BOTH)
    if filtered and not every:
        raise LabError(texts.LETTERS_FILTER_NEEDS_ALL)
    if not letter_id and not every:
        raise LabError(texts.LETTERS_ONE_OR_ALL)


def _agreed(store: "Store", wanted: Any, question: str, *, yes: bool) -> bool:
    """Say whether there is something to do, and it is to be done."""
    n = store.count(wanted)
    if not n:
        every = store.count()
        typer.echo(texts.LETTERS_NONE_FIT.format(all=every) if every else texts.LETTERS_NONE)
        return False
    if not yes and not typer.confirm(question.format(n=n)):
        typer.echo(texts.LETTERS_LEFT)
        raise typer.Exit(1)
    return True


@contextmanager
def _store(url: str | None, name: str | None) -> "Iterator[Store]":
    """Open the store; what the package refuses is one line."""
    from celerylab.dead_letters import open_store

    store = open_store(url, name)
    package = _package()
    from kombu.exceptions import OperationalError  # loaded by now

    try:
        yield store
    except OperationalError as problem:
        raise LabError(texts.LETTERS_NO_BROKER.format(problem=problem)) from None
    except (
        package.StoreError,
        package.NoSuchLetter,
        package.NotReplayable,
        package.ReplayRefused,
        package.BadTime,
    ) as refused:
        raise LabError(str(refused)) from None


def _filter(
    task: str | None,
    kind: str | None,
    exception: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    state: str | None,
) -> Any:
    package = _package()
    if kind and kind not in package.KINDS:
        raise LabError(texts.LETTERS_NO_KIND.format(given=kind, known=", ".join(package.KINDS)))
    if state and state not in package.STATES:
        raise LabError(texts.LETTERS_NO_STATE.format(given=state, known=", ".join(package.STATES)))
    return package.Filter(
        task=task,
        kind=kind,
        exception=exception,
        since=package.moment(since) if since else None,
        until=package.moment(until) if until else None,
        text=text,
        state=state,
    )


def _table(letters: list[Any]) -> Any:
    from celerylab.views.letters import what
    from celerylab.views.table import Table

    rows = [
        [
            letter.when.astimezone().isoformat(" ", "seconds")[:19],
            letter.task,
            letter.kind,
            what(letter, WIDE),
            letter.state,
            letter.id,
        ]
        for letter in letters
    ]
    return Table(texts.LETTERS_COLUMNS, rows)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _package() -> Any:
    from celerylab.dead_letters import letters

    return letters()


def _celery(url: str | None) -> Any:
    from celerylab.dead_letters import broker_url
    from celerylab.stack.control import client

    return client(broker_url(url))
