"""What the exercises of lesson 4-6 share: the learner's module, in parts that answers replace."""

MODULE = """%%writefile NAME.py
import os

import psycopg
from celery import Celery, chord

from labtasks import images
from labtasks.dead_letters import default_store, install
from labtasks.settings import settings

read = settings()
app = Celery("NAME", broker=read.broker_url, backend=read.broker_url)
app.conf.update(
    task_default_queue="photos.bulk",
    result_backend_always_retry=True,
    broker_transport_options={
        "visibility_timeout": read.visibility_timeout,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
)
LETTERS
SIZES = ["160x120", "64x48"]
SAFE = {OPTIONS}


def path_of(photo):
    return str(read.work_folder / "photos" / photo)


@app.task(name="photos.receive", bind=True, **SAFE)
def receive(self, photo):
    RECEIVE


@app.task(name="photos.rendition", **SAFE)
def rendition(photo, size):
    return images.resize_image(path_of(photo), size)


@app.task(name="photos.publish", **SAFE)
def publish(renditions, photo):
    with psycopg.connect(os.environ["ALBUM_URL"]) as album:
        PUBLISH
"""

LETTERS = 'install(app, default_store("photos"))'
LATE = """
    "acks_late": True,
    "retry_on_worker_lost": True,
    "default_retry_delay": 1,
    "time_limit": 25,"""
RETRIES = """
    "autoretry_for": (OSError, psycopg.OperationalError),
    "max_retries": 3,
    "retry_backoff": True,
    "retry_jitter": False,
"""
ENDLESS = """
    "autoretry_for": (Exception,),
    "max_retries": None,
    "default_retry_delay": 0.1,
"""
LOOK = "images.resize_image(path_of(photo), SIZES[-1])"
CHORD = """lane = self.request.delivery_info["routing_key"]
    parts = [rendition.s(photo, size).set(queue=lane) for size in SIZES]
    raise self.replace(chord(parts, publish.s(photo).set(queue=lane)))"""
DEFAULT_QUEUE = """parts = [rendition.s(photo, size) for size in SIZES]
    raise self.replace(chord(parts, publish.s(photo)))"""
WAIT = """lane = self.request.delivery_info["routing_key"]
    parts = [rendition.s(photo, size).set(queue=lane) for size in SIZES]
    with allow_join_result():
        renditions = group(parts)().get(timeout=20)
    publish.apply_async((renditions, photo), queue=lane)"""
SWALLOW = """try:
        images.resize_image(path_of(photo), SIZES[-1])
    except Exception as error:
        try:
            raise self.retry(exc=error, countdown=0.1, max_retries=2)
        except Exception:
            return None"""
ROW = 'album.execute("INSERT INTO album (photo, renditions) VALUES (%s, %s)", [photo, len(renditions)])'
ONCE = """key = album.execute("INSERT INTO published VALUES (%s) ON CONFLICT DO NOTHING", [photo])
        if key.rowcount:
            ROW""".replace("ROW", ROW)


def module(
    name: str,
    *,
    look: str = LOOK,
    send: str = CHORD,
    publish: str = ONCE,
    options: str = LATE + RETRIES,
    letters: str = LETTERS,
) -> str:
    """Return the cell that writes a module, with other parts than those of the solution."""
    text = MODULE.replace("NAME", name).replace("OPTIONS", options).replace("PUBLISH", publish)
    text = text.replace("RECEIVE", f"{look}\n    {send}" if look else send)
    text = text.replace("LETTERS\n", f"{letters}\n\n" if letters else "\n")
    if "allow_join_result" in send:
        text = text.replace(
            "from celery import Celery, chord\n",
            "from celery import Celery, group\nfrom celery.result import allow_join_result\n",
        )
    return text
