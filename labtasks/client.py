"""The sample client: sends one task of each kind and shows how far they are.

Run it with ``python -m labtasks.client``.
"""

import sys
import time
from typing import Annotated, Any

import typer
from celery.result import AsyncResult
from celery.states import READY_STATES
from kombu.exceptions import OperationalError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from labtasks.app import app
from labtasks.basics import add, long_task, process_data
from labtasks.settings import SettingsError

POLL = 0.1  # s
CONNECT_TIMEOUT = 5  # s


class ClientError(Exception):
    """The client can't go on; the message says why."""


def main(
    seconds: Annotated[float, typer.Option(min=0, help="How long long_task takes.")] = 3.0,
    timeout: Annotated[float, typer.Option(min=1, help="Give up after so many seconds.")] = 60.0,
) -> None:
    """Send add, long_task and process_data to the worker, and show their progress live."""
    console = Console()
    try:
        reach_broker()
        sent = send(seconds)
        follow(sent, timeout, console)
        for title, result in sent.items():
            console.print(f"{title} → {result.get(timeout=POLL)}", markup=False, highlight=False)
    except (SettingsError, ClientError) as error:
        sys.exit(f"labtasks.client: {error}")
    except KeyboardInterrupt:
        sys.exit("labtasks.client: interrupted; tasks that were sent still run")


def reach_broker() -> None:
    """Raise ``ClientError`` if the broker does not answer soon.

    ``delay()`` alone would try for some 20 s before it says so.
    """
    try:
        with app.connection_for_write(connect_timeout=CONNECT_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
    except OperationalError as error:
        raise ClientError(f"no broker answers at {app.connection_for_write().as_uri()}: {error}") from None


def send(seconds: float) -> dict[str, "AsyncResult[Any]"]:
    """Send one task of each kind; return the results by the call's text."""
    numbers = list(range(1, 11))
    return {
        "add(2, 3)": add.delay(2, 3),
        f"long_task({seconds:g})": long_task.delay(seconds),
        "process_data(1 … 10)": process_data.delay(numbers),
    }


def follow(sent: dict[str, "AsyncResult[Any]"], timeout: float, console: Console) -> None:
    """Draw a bar a task until all are ready.

    Raises
    ------
    ClientError
        They weren't after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, TextColumn("{task.fields[state]}"), console=console) as bars:
        lines = {title: bars.add_task(title, total=1.0, state="PENDING") for title in sent}
        while not all(bars.tasks[line].finished for line in lines.values()):
            for title, result in sent.items():
                # one look: between two, a task can end, and its progress becomes its result
                found = result.backend.get_task_meta(result.id)
                bars.update(lines[title], state=found["status"], completed=fraction(found))
            if time.monotonic() > deadline:
                waiting = ", ".join(title for title, result in sent.items() if not result.ready())
                raise ClientError(f"{waiting} not done after {timeout:g} s. Does a worker run?")
            time.sleep(POLL)


def fraction(found: dict[str, Any]) -> float:
    """Return how much of a task is done, from 0 to 1, by what the backend has of it."""
    if found["status"] in READY_STATES:
        return 1.0
    if found["status"] == "PROGRESS":
        return float(found["result"]["current"]) / float(found["result"]["total"])
    return 0.0


if __name__ == "__main__":
    typer.run(main)
