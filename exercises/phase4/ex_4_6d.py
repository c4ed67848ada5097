"""Exercise 4-6d: a report each night, records of each task, and metrics."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx

from celerylab import lab
from celerylab.errors import LabError, Timeout
from celerylab.faults.album import TABLES
from celerylab.samples.photos import broken, photo
from celerylab.stack import control
from celerylab.stack.beat import Beat
from celerylab.stack.broker import Broker
from celerylab.stack.owner import owner
from celerylab.stack.ports import free_port
from celerylab.stack.postgres import Postgres
from celerylab.stack.waiting import wait_for
from celerylab.stack.worker import Worker
from celerylab.views.preview import said
from celerylab.views.queues import Message, depths
from celerylab.views.runs import Run
from celerylab.views.upcoming import runs
from celerylab.views.watch import Watch
from exercises import Outcome, learners_code, not_attempted, not_right, right, unfinished
from exercises.fresh import fresh
from exercises.kept import kept
from exercises.phase4.photos_4_6 import LETTERS, module
from exercises.phase4.tables import query

TITLE = "Leave it alone at night"

TEXT = """
In `photos_4_6d.py`, replace each `...`:

- Each night at 03:00 UTC, Beat sends the report to `photos.bulk`. One that no worker has taken when the next
  night comes is dropped.
- `report` writes how many photos the album has into `reports`, with the date of today. However often it runs,
  the day has one row, with the newest number.
- `labtasks.records` keeps what became of each task, `labtasks.metrics` counts the runs. Both are switched on
  where the app is made; for records, tasks need a class of their own.

`check` asks the schedule for its moments. Then it starts your Beat with `REPORT_SECONDS=0.5` and without a
worker, and reads what it sends. Your worker gets a photo, a bad picture, and one more report. Last, `check`
reads the tables and the metrics.
"""

HINTS = [
    "3-1: what does `crontab(hour=3)` say of the minutes? Options of an entry are those of `apply_async`.",
    "3-5: `INSERT ... ON CONFLICT (day) DO UPDATE SET ...`; what was to be inserted is called `excluded`.",
    '4-2: `task_cls="labtasks.records.task:ContextTask"`; and both packages have an `install(app)`.',
]

FEEDBACK = {
    "right": "Once a night, one row a day, and records and metrics know of each task.",
    "no_entry": "`app.conf.beat_schedule` should have an entry 'nightly report'. It has: {names}.",
    "not_a_schedule": "{problem}",
    "not_nightly": "In the first three days of March, the report is sent {n} times: {moments}.",
    "not_sent": (
        "A night of Beat took half a second, and in {seconds:g} seconds nothing came to `photos.bulk`. "
        "Messages lie in: {queues}."
    ),
    "no_expiry": (
        "The message of a report never expires. A worker that comes back after a week finds one for each "
        "night. Which option of the entry says how long a message is worth something?"
    ),
    "late_expiry": "The message of a report expires after {seconds:g} seconds. When does the next one come?",
    "no_report": (
        "Reports are sent, and in {seconds:g} seconds your worker ran none of them. For how long is a report "
        "worth something?"
    ),
    "not_out": "A good photo was sent, and is not in the album. What you were given works; what has changed?",
    "report_failed": "The second report of the day ended as {state}: {error}. Which row is there already?",
    "wrong_report": "The album has {n} photos. The newest row in `reports` says {found}.",
    "no_records": (
        "The records should say of the photo SUCCESS, and of the bad picture FAILURE. They say {found}. "
        "What tells the recorder of an app's tasks, and what class are they?"
    ),
    "no_metrics": (
        "`CELERYLAB_METRICS_PORT` was {port}, and nobody there told of a run of `photos.publish`. Who "
        "counts, and who starts it?"
    ),
}

NIGHT = "crontab(hour=3, minute=0)"
EXPIRES = '{"queue": "photos.bulk", "expires": 3600}'
WATCHED = """records.install(app)
metrics.install(app)"""
CLASS = ', task_cls="labtasks.records.task:ContextTask"'
NEWEST = "ON CONFLICT (day) DO UPDATE SET photos = excluded.photos"
BEAT = """    beat_schedule={
        "nightly report": {
            "task": "photos.report",
            "schedule": float(os.environ.get("REPORT_SECONDS", 0)) or NIGHT,
            "options": OPTIONS,
        }
    },
)
"""
REPORT = """

@app.task(name="photos.report", **SAFE)
def report():
    with psycopg.connect(os.environ["ALBUM_URL"]) as album:
        (n,) = album.execute("SELECT count(*) FROM album").fetchone()
        album.execute("INSERT INTO reports VALUES (current_date, %s) CONFLICT", [n])
"""


def _module(
    *,
    night: str = NIGHT,
    options: str = EXPIRES,
    conflict: str = NEWEST,
    watched: str = WATCHED,
    task_class: str = CLASS,
) -> str:
    text = module("photos_4_6d", letters=f"{LETTERS}\n{watched}")
    text = text.replace("import images\n", "import images, metrics, records\n")
    text = text.replace("chord\n", "chord\nfrom celery.schedules import crontab\n", 1)
    text = text.replace("backend=read.broker_url)", f"backend=read.broker_url{task_class})")
    text = text.replace(")\ninstall(", f"{BEAT.replace('NIGHT', night).replace('OPTIONS', options)}install(")
    return text + REPORT.replace(" CONFLICT", f" {conflict}" if conflict else "")


SOLUTION = _module()
WRONG = {
    "not_nightly": _module(night="crontab(hour=3)"),
    "not_a_schedule": _module(night='"3:00"'),
    "not_sent": _module(options='{"queue": "reports", "expires": 3600}'),
    "no_expiry": _module(options='{"queue": "photos.bulk"}'),
    "late_expiry": _module(options='{"queue": "photos.bulk", "expires": 7 * 24 * 3600}'),
    "no_report": _module(options='{"queue": "photos.bulk", "expires": 0}'),
    "not_out": SOLUTION.replace("raise self.replace(", "return str("),
    "report_failed": _module(conflict=""),
    "wrong_report": _module(conflict="ON CONFLICT DO NOTHING"),
    "no_records": [
        _module(watched="metrics.install(app)"),
        _module(task_class=""),
    ],
    "no_metrics": _module(watched="records.install(app)"),
}

ENTRY, TASK, QUEUE = "nightly report", "photos.report", "photos.bulk"
START = datetime(2026, 3, 1, tzinfo=UTC)
NIGHTS = [START + timedelta(days=n, hours=3) for n in range(3)]
SHOWN = 3  # moments in a message
NIGHT_TIME = 0.5  # s of a night, for the learner's Beat
DAY = 86400.0  # s
SOON = 10.0  # s for what needs a moment
GOOD, BAD = "lake.jpg", "half.jpg"
COUNTER, COUNTED = "celery_tasks_total{", 'task="photos.publish"'


def check(answer: str) -> Outcome:
    """Read the schedule, let Beat send, let a worker work, and read what both have left."""
    if unfinished(answer):
        return not_attempted()
    if wrong := _schedule(answer):
        return wrong
    broker, database = kept("broker of 4-6d", lab.broker), kept("PostgreSQL of 4-6d", lab.postgres)
    broker.redis().flushall()
    query(database.start(), "DROP TABLE IF EXISTS celery_task_records", TABLES)
    folder = owner().folder / "exercise-4-6d"
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    (folder / "photos" / GOOD).write_bytes(photo(1))
    (folder / "photos" / BAD).write_bytes(broken())
    port = free_port()
    env = {
        # those of a lab that is attached lead elsewhere
        "CELERYLAB_ALERT_URL": "",
        "CELERYLAB_DEAD_LETTERS_URL": "",
        "CELERYLAB_BROKER_URL": broker.url,
        "CELERYLAB_DATABASE_URL": database.url,
        "CELERYLAB_WORK_FOLDER": str(folder),
        "CELERYLAB_RECORDS": "true",
        "ALBUM_URL": database.conninfo,
        "REPORT_SECONDS": str(NIGHT_TIME),
    }
    beat = Beat(answer, broker_url=broker.url, env=env)
    worker = Worker(
        answer,
        broker_url=broker.url,
        concurrency=1,  # so that a report that began earlier does not end later
        queues=[QUEUE],
        name="exercise-4-6d",
        env=env | {"CELERYLAB_METRICS_PORT": str(port)},
    )
    try:
        return _sent(beat, broker) or _worked(worker, broker, database) or _counted(port)
    finally:
        beat.kill()
        worker.kill()


def _schedule(answer: str) -> Outcome | None:
    app = getattr(fresh(answer), "app", None)
    if recorder := getattr(app, "records", None):
        recorder.disconnect()  # this process only reads the schedule
    with learners_code():
        entries = app.conf.beat_schedule if app else {}
        zone = app.timezone if app else UTC
    if ENTRY not in entries:
        return not_right("no_entry", names=", ".join(entries) or "none")
    try:
        with learners_code():
            found = runs(entries[ENTRY]["schedule"], START.astimezone(zone), START + timedelta(days=3))
    except LabError as problem:
        return not_right("not_a_schedule", problem=problem)
    if found != NIGHTS:
        moments = [said(each.astimezone(UTC)) for each in found]
        more = ["..."] if len(moments) > SHOWN else []
        shown = ", ".join([*moments[:SHOWN], *more]) or "never"
        return not_right("not_nightly", n=len(found), moments=shown)
    return None


def _sent(beat: Beat, broker: Broker) -> Outcome | None:
    """Let Beat send while no worker takes anything, and read the message."""
    client = broker.redis()
    beat.start()
    try:
        raw = wait_for(1, "messages", lambda: client.lrange(QUEUE, -1, -1), SOON)[0]
    except Timeout:
        lie = ", ".join(name for name, n in sorted(depths(client).items()) if n) or "none"
        return not_right("not_sent", seconds=SOON, queues=lie)
    expires = Message(raw).properties.get("expiration")  # ms
    if expires is None:
        return not_right("no_expiry")
    return None if float(expires) <= DAY * 1000 else not_right("late_expiry", seconds=float(expires) / 1000)


def _worked(worker: Worker, broker: Broker, database: Postgres) -> Outcome | None:
    """Have a good and a bad photo and one more report run, behind those that have waited."""
    worker.start()
    sent = _send(broker)
    with suppress(Timeout):
        wait_for(1, "rows", lambda: query(database, "SELECT photo FROM album"), SOON)
    if not (rows := query(database, "SELECT photo FROM album")):
        return not_right("not_out")
    ended: list[Run] = []
    with Watch(broker.url, wait=0) as seen, suppress(Timeout):
        ended = wait_for(1, "reports", lambda: [run for run in seen if _is_whole_report(run)], SOON)
    if not ended:
        return not_right("no_report", seconds=SOON)
    result = control.client(broker.url).AsyncResult(ended[0].id)
    if result.state != "SUCCESS":
        return not_right("report_failed", state=result.state, error=str(result.result).partition("\n")[0])
    found = query(database, "SELECT photos FROM reports ORDER BY day DESC LIMIT 1")
    if found != [(len(rows),)]:
        return not_right("wrong_report", n=len(rows), found=found[0][0] if found else "nothing")
    return _recorded(database, sent)


def _send(broker: Broker) -> list[str]:
    """Send a good photo and a bad one; return the ids of their tasks."""
    client = control.client(broker.url)
    return [client.send_task("photos.receive", (name,), queue=QUEUE).id for name in (GOOD, BAD)]


def _is_whole_report(run: Run) -> bool:
    # one that was received before may have counted before the photo was there
    return run.task == TASK and None not in (run.received, run.started) and run.final


def _recorded(database: Postgres, sent: list[str]) -> Outcome | None:
    """Wait until the records know both tasks, and say what they know instead if they do not."""

    def states() -> list[tuple[str, str]]:
        if query(database, "SELECT to_regclass('celery_task_records')") == [(None,)]:
            return []
        rows = dict(query(database, "SELECT task_id, state FROM celery_task_records"))
        return [(task_id, rows[task_id]) for task_id in sent if task_id in rows]

    wanted = list(zip(sent, ("SUCCESS", "FAILURE"), strict=True))
    with suppress(Timeout):
        wait_for(1, "records", lambda: [found for found in (states(),) if found == wanted], SOON)
    if (found := states()) == wanted:
        return None
    return not_right("no_records", found=" and ".join(state for _, state in found) or "nothing of them")


def _counted(port: int) -> Outcome:
    """Ask for the metrics as Prometheus would, until they know of the photo."""

    def counters() -> list[str]:
        with suppress(httpx.HTTPError):
            lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
            return [line for line in lines if line.startswith(COUNTER) and COUNTED in line]
        return []

    try:
        wait_for(1, "counters", counters, SOON)
    except Timeout:
        return not_right("no_metrics", port=port)
    return right()
