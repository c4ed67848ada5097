"""What the queue costs the image workflow: the same calls in a loop, in a pool, and as tasks."""

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import httpx
from celery.result import AsyncResult

from bench.row import Row
from celerylab import Lab

PICTURES = 64
SIZE = "800x600"
WIDTH = 2  # processes, as many as the bundled worker has
ROUNDS = 5
PHOTOS = "celerylab.samples.photos:app"


def measure() -> Row:
    """Process the same pictures in turn each way; medians count."""
    lab = Lab()
    lab.start()
    try:
        photos = lab.serve(PHOTOS)
        urls = [f"{photos.url}{path}" for path in httpx.get(photos.url).json()[:PICTURES]]
        for url in urls:  # the server draws each picture once
            httpx.get(url, timeout=30).raise_for_status()
        ways: dict[str, list[float]] = {"loop": [], "pool": [], "tasks": [], "chains": []}
        with ProcessPoolExecutor(WIDTH, get_context("spawn")) as pool:
            list(pool.map(_process, urls[:4], [tempfile.gettempdir()] * 4))  # imports
            for _ in range(ROUNDS):
                for way, run in {
                    "loop": _loop,
                    "pool": partial(_pool, pool),
                    "tasks": _tasks,
                    "chains": _chains,
                }.items():
                    ways[way].append(_seconds(run, urls))
    finally:
        lab.stop()
    loop, pooled, tasks, chains = (statistics.median(times) for times in ways.values())
    overhead = (tasks - pooled) * WIDTH / PICTURES * 1000
    return Row(
        f"image workflow over {PICTURES} pictures, {WIDTH} processes, medians of {ROUNDS}",
        tasks,
        pooled,
        "s",
        limit=1.3,
        notes=(
            f"the same calls in a plain loop: {loop:.2f} s; the queue costs {overhead:.1f} ms a picture "
            "of each process's time",
            f"as three tasks a picture, download | resize | upload: {chains:.2f} s",
        ),
    )


def _seconds(run: Callable[[list[str], str], object], urls: list[str]) -> float:
    with tempfile.TemporaryDirectory() as bucket:
        begin = time.perf_counter()
        run(urls, bucket)
        took = time.perf_counter() - begin
        assert len(list(Path(bucket).iterdir())) == len(urls)
    return took


def _process(url: str, bucket: str) -> object:
    from labtasks.images import process_image

    return process_image(url, SIZE, bucket)


def _loop(urls: list[str], bucket: str) -> None:
    for url in urls:
        _process(url, bucket)


def _pool(pool: ProcessPoolExecutor, urls: list[str], bucket: str) -> None:
    list(pool.map(_process, urls, [bucket] * len(urls)))


def _tasks(urls: list[str], bucket: str) -> None:
    from celery import chord

    from labtasks.images import notify_completion, process_image

    header = [process_image.s(url, SIZE, bucket) for url in urls]
    _wait(chord(header)(notify_completion.s()))


def _chains(urls: list[str], bucket: str) -> None:
    from celery import chord

    from labtasks.images import download_image, notify_completion, resize_image, upload_image

    header = [download_image.s(url) | resize_image.s(SIZE) | upload_image.s(bucket) for url in urls]
    _wait(chord(header)(notify_completion.s()))


def _wait(result: AsyncResult) -> None:
    # with propagate=True, Celery asks for each task of the header whenever one of them is done
    assert isinstance(result.get(timeout=120, propagate=False), dict)
