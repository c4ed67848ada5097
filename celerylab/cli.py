"""The ``celerylab`` command.

Its parts are imported where they are used: ``celerylab progress`` answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from celerylab import dead_letters_command, texts
from celerylab.errors import LabError
from celerylab.machines import Platform, Python


class OneLineErrors(TyperGroup):
    """Shows what the lab raises on purpose as one line on stderr, with status 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own Context subclass
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except LabError as problem:
            typer.echo(texts.ERROR.format(problem=problem), err=True)
            raise typer.Exit(1) from problem


app = typer.Typer(
    cls=OneLineErrors,
    help=texts.HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.add_typer(dead_letters_command.app, name="dead-letters")


@app.command(help=texts.LAB_HELP)
def lab(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help=texts.PORT_HELP)] = None,
    host: Annotated[str, typer.Option(help=texts.HOST_HELP)] = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help=texts.BROWSER_HELP)] = True,
) -> None:
    """Start JupyterLab."""
    from celerylab import jupyter

    raise typer.Exit(jupyter.run(host, port, browser=browser))


@app.command(help=texts.DOCTOR_HELP)
def doctor(
    offline_bundle: Annotated[
        Path | None, typer.Option(metavar="FOLDER", file_okay=False, help=texts.BUNDLE_HELP)
    ] = None,
    platform: Annotated[
        list[Platform] | None,
        typer.Option(metavar="NAME", help=texts.BUNDLE_PLATFORM_HELP.format(known=", ".join(Platform))),
    ] = None,
    python: Annotated[
        list[Python] | None,
        typer.Option(metavar="VERSION", help=texts.BUNDLE_PYTHON_HELP.format(known=", ".join(Python))),
    ] = None,
) -> None:
    """Check the installation, or make the folder that installs it elsewhere."""
    if offline_bundle:
        from celerylab import offline

        platforms, pythons = platform or [offline.this_platform()], python or [offline.this_python()]
        for line in offline.bundle(offline_bundle.absolute(), platforms, pythons):
            typer.echo(line)
        return
    if platform or python:
        raise LabError(texts.BUNDLE_ONLY)
    from celerylab import doctor as doctor_
    from celerylab.finding import Level

    findings = []
    for finding in doctor_.examine():
        typer.echo(finding)
        findings.append(finding)
    typer.echo(doctor_.summary(findings))
    raise typer.Exit(any(finding.level is Level.WRONG for finding in findings))


@app.command(help=texts.PROGRESS_HELP)
def progress(json: Annotated[bool, typer.Option("--json", help=texts.PROGRESS_JSON_HELP)] = False) -> None:
    """Show the progress."""
    from celerylab.course_map import course_map

    if json:
        from celerylab import next_step

        typer.echo(next_step.as_json(course_map()))
    else:
        typer.echo(course_map())


@app.command("next", help=texts.NEXT_HELP)
def next_() -> None:
    """Say what comes next."""
    from celerylab import next_step
    from celerylab.course_map import course_map

    for line in next_step.lines(course_map()):
        typer.echo(line)


@app.command(help=texts.RESET_HELP)
def reset(
    lesson_id: Annotated[str, typer.Argument(metavar="LESSON", help=texts.LESSON_HELP)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help=texts.YES_HELP)] = False,
) -> None:
    """Begin a lesson again."""
    from celerylab import course
    from celerylab import reset as reset_

    lesson = course.lesson(lesson_id)
    if not yes and not typer.confirm(texts.RESET_ASK.format(id=lesson.id, title=lesson.title)):
        typer.echo(texts.RESET_LEFT)
        raise typer.Exit(1)
    done = reset_.reset(lesson)
    notebook = lesson.notebook.name
    typer.echo(texts.FORGOTTEN.format(count=done.forgotten, id=lesson.id))
    if done.backup:
        typer.echo(texts.KEPT.format(folder=done.backup, names=", ".join(done.kept)))
    if done.problem:
        typer.echo(
            texts.ERROR.format(problem=texts.NOT_PUBLISHED.format(notebook=notebook, problem=done.problem)),
            err=True,
        )
        raise typer.Exit(1)
    typer.echo((texts.GIVEN_BACK if done.restored else texts.UNCHANGED).format(notebook=notebook))


if __name__ == "__main__":
    app()
