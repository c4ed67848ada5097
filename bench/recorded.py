"""The same tasks bare, and in an app whose tasks are recorded, for the row ``records``."""

import os
from io import BytesIO

from celery import Celery

from labtasks import records
from labtasks.records import ContextTask

url = os.environ["CELERYLAB_BROKER_URL"]
RECORDED = bool(os.environ.get("BENCH_RECORDED"))
app = Celery("recorded", broker=url, backend=url, task_cls=ContextTask if RECORDED else None)
app.conf.task_default_queue = "bench-recorded" if RECORDED else "bench-bare"
if RECORDED:
    records.setup_celery_logging(records.install(app))


def picture() -> bytes:
    """Return a photo's worth of JPEG, 640 x 480."""
    from PIL import Image

    made = BytesIO()
    Image.effect_noise((640, 480), 64).convert("RGB").save(made, "JPEG")
    return made.getvalue()


PICTURE = picture()


@app.task
def thumbnail(_number: int) -> int:
    """Make a thumbnail of a picture, and return how many bytes it has."""
    from PIL import Image

    made = BytesIO()
    with Image.open(BytesIO(PICTURE)) as opened:
        opened.thumbnail((160, 120), Image.Resampling.LANCZOS)
        opened.save(made, "JPEG")
    return len(made.getvalue())


@app.task
def add(number: int) -> int:
    """Return ``number + 1``."""
    return number + 1
