"""Datasets, processed item by item, with progress to follow."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

import msgspec
from celery import Task

from labtasks.app import app
from labtasks.parameters import BadParameters, read
from labtasks.progress import tell

EVERY = 10  # items between two progress reports

Item = dict[str, Any]
Ranges = dict[str, tuple[float, float]]


class NoSuchDataset(LookupError):
    """No dataset has the id that was asked for."""


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """Of ``process_large_dataset``.

    Parameters
    ----------
    normalize
        Scale each field that holds numbers to 0 … 1 over the dataset.
    validate
        Leave out items of too low a quality.
    quality_threshold
        With ``validate``: the least share of the dataset's fields that an item must fill.
    """

    normalize: bool = False
    validate: bool = False
    quality_threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0


class Processing(TypedDict):
    """What ``process_large_dataset`` returns."""

    dataset_id: int
    processed_count: int
    rejected_count: int
    processing_options: dict[str, Any]
    timestamp: float


def store_dataset(items: Sequence[Mapping[str, Any]]) -> int:
    """Store items to process, committed, and return the dataset's id.

    Raises
    ------
    BadParameters
        An item is no dictionary of fields.
    """
    from sqlalchemy.orm import Session

    from labtasks.database import Dataset, engine

    try:
        data = msgspec.convert(items, list[Item])
    except msgspec.ValidationError as error:
        raise BadParameters(f"a dataset is a list of dictionaries: {error}") from None
    with Session(engine()) as session:
        dataset = Dataset(data=data)
        session.add(dataset)
        session.commit()
        return dataset.id


@app.task(bind=True)
def process_large_dataset(
    self: "Task[Any, Any]", dataset_id: int, processing_options: dict[str, Any]
) -> Processing:
    """Process a stored dataset, store what comes out, and report progress all the while.

    A task that is delivered twice leaves one result: the later one.

    Parameters
    ----------
    dataset_id
        What ``store_dataset`` returned.
    processing_options
        See ``Options``.

    Raises
    ------
    BadParameters
        An option that there is not, or a value that it can't have.
    NoSuchDataset
        No dataset has this id.
    """
    from sqlalchemy import delete
    from sqlalchemy.orm import Session

    from labtasks.database import Dataset, ProcessingResult, engine

    options = read(processing_options, Options, "processing_options")
    with Session(engine()) as session:
        dataset = session.get(Dataset, dataset_id)
        if dataset is None:
            raise NoSuchDataset(f"there is no dataset {dataset_id}")
        items = dataset.data
        session.rollback()  # no transaction stays open during the work
        processed = process(self, items, options)
        result = Processing(
            dataset_id=dataset_id,
            processed_count=len(processed),
            rejected_count=len(items) - len(processed),
            processing_options=processing_options,
            timestamp=time.time(),
        )
        task_id = self.request.id
        if task_id is not None:  # none if called directly
            session.execute(delete(ProcessingResult).where(ProcessingResult.task_id == task_id))
        session.add(
            ProcessingResult(dataset_id=dataset_id, task_id=task_id, data=processed, result_data=dict(result))
        )
        session.commit()
    return result


def process(task: "Task[Any, Any]", items: Sequence[Item], options: Options) -> list[Item]:
    """Return the items that pass, processed, and tell how far it is."""
    total = len(items)
    tell(task, current=0, total=total, status="Starting processing...", progress=0)
    fields = {field for item in items for field in item}
    ranges = ranges_of(items) if options.normalize else {}
    processed = []
    for number, item in enumerate(items, start=1):
        if not options.validate or quality(item, fields) >= options.quality_threshold:
            processed.append(normalized(item, ranges))
        if number % EVERY == 0 or number == total:
            status = f"Processed {number}/{total} items"
            tell(task, current=number, total=total, status=status, progress=100 * number // total)
    return processed


def ranges_of(items: Sequence[Item]) -> Ranges:
    """Return the smallest and largest number of each field that holds any."""
    found: Ranges = {}
    for item in items:
        for field, value in item.items():
            if is_number(value):
                low, high = found.get(field, (value, value))
                found[field] = min(low, value), max(high, value)
    return found


def normalized(item: Item, ranges: Ranges) -> Item:
    """Return a copy whose numbers lie in 0 … 1; where all items hold the same number, it is 0."""
    scaled = dict(item)
    for field in ranges.keys() & item.keys():
        low, high = ranges[field]
        if is_number(item[field]):
            scaled[field] = (item[field] - low) / (high - low) if high > low else 0.0
    return scaled


def quality(item: Item, fields: set[str]) -> float:
    """Return the share of fields that an item fills; null and an empty text fill none."""
    return sum(item.get(field) not in (None, "") for field in fields) / len(fields) if fields else 1.0


def is_number(value: object) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
