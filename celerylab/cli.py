"""The ``celerylab`` command.

Its parts are imported where they are used: ``celerylab progress`` answers at once.
"""

from typing import Annotated

import typer
from typer.core import TyperGroup

from celerylab import dead_letters_command, texts
from celerylab.errors import LabError


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
def doctor() -> None:
    """Check the installation."""
    from celerylab import doctor as doctor_
    from celerylab.finding import Level

    findings = []
    for finding in doctor_.examine():
        typer.echo(finding)
        findings.append(finding)
    typer.echo(doctor_.summary(findings))
    raise typer.Exit(any(finding.level is Level.WRONG for finding in findings))


@app.command(help=texts.PROGRESS_HELP)
def progress() -> None:
    """Show the progress."""
    from celerylab.course_map import course_map

    typer.echo(course_map())


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
