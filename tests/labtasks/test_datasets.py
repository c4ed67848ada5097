"""Datasets, processed by a real worker, with the progress that it reports."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from celerylab import Lab
from labtasks import datasets  # a task among a module's names would be loaded as pytest looks for tests
from labtasks.database import ProcessingResult, engine
from labtasks.datasets import store_dataset
from labtasks.parameters import BadParameters
from tests.labtasks.progress import reported

TASK = "labtasks.datasets.process_large_dataset"
ITEMS = [
    {"name": "a", "size": 2, "ok": True},
    {"name": "b", "size": 4, "ok": True},
    {"name": "", "size": 3.0},
    {"name": "d", "size": None, "ok": True},
]


def process(lab: Lab, dataset_id: int, options: Any, task_id: str | None = None) -> Any:
    sent = lab.client.send_task(TASK, (dataset_id, options), queue="labtasks", task_id=task_id)
    return sent.get(timeout=20)


def stored(dataset_id: int) -> list[ProcessingResult]:
    with Session(engine()) as session:
        query = select(ProcessingResult).where(ProcessingResult.dataset_id == dataset_id)
        return list(session.scalars(query.order_by(ProcessingResult.id)))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ITEMS),
        (
            {"normalize": True},
            [
                {"name": "a", "size": 0.0, "ok": True},
                {"name": "b", "size": 1.0, "ok": True},
                {"name": "", "size": 0.5},
                {"name": "d", "size": None, "ok": True},
            ],
        ),
        ({"validate": True}, ITEMS[:2]),
        ({"validate": True, "quality_threshold": 0.66}, [*ITEMS[:2], ITEMS[3]]),
        ({"validate": True, "quality_threshold": 0}, ITEMS),
        ({"quality_threshold": 0.9}, ITEMS),
    ],
)
def test_dataset_is_processed_by_its_options_and_the_outcome_stored(
    lab: Lab, options: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    dataset_id = store_dataset(ITEMS)
    result = process(lab, dataset_id, options)
    assert result.pop("timestamp") > 0
    assert result == {
        "dataset_id": dataset_id,
        "processed_count": len(expected),
        "rejected_count": len(ITEMS) - len(expected),
        "processing_options": options,
    }
    (row,) = stored(dataset_id)
    assert row.data == expected
    assert row.result_data.items() >= result.items()


def test_field_with_one_number_only_is_normalized_to_zero(lab: Lab) -> None:
    dataset_id = store_dataset([{"size": 7}, {"size": 7}])
    process(lab, dataset_id, {"normalize": True})
    assert stored(dataset_id)[0].data == [{"size": 0.0}, {"size": 0.0}]


def test_progress_is_reported_every_ten_items_and_at_the_end(lab: Lab) -> None:
    dataset_id = store_dataset([{"n": n} for n in range(25)])
    with reported(lab, "25-items") as seen:
        process(lab, dataset_id, {"normalize": True}, "25-items")
    assert seen == [
        {"current": 0, "total": 25, "status": "Starting processing...", "progress": 0},
        {"current": 10, "total": 25, "status": "Processed 10/25 items", "progress": 40},
        {"current": 20, "total": 25, "status": "Processed 20/25 items", "progress": 80},
        {"current": 25, "total": 25, "status": "Processed 25/25 items", "progress": 100},
    ]


@pytest.mark.parametrize("items", [[], [{}]])
def test_dataset_without_items_or_fields_is_processed(lab: Lab, items: list[dict[str, Any]]) -> None:
    result = process(lab, store_dataset(items), {"normalize": True, "validate": True})
    assert (result["processed_count"], result["rejected_count"]) == (len(items), 0)


def test_task_that_runs_twice_leaves_one_result(lab: Lab) -> None:
    dataset_id = store_dataset(ITEMS)
    for options in ({"normalize": True}, {"validate": True}):
        with reported(lab, "twice"):
            lab.client.send_task(TASK, (dataset_id, options), queue="labtasks", task_id="twice")
    process(lab, dataset_id, {})
    assert [row.result_data["processing_options"] for row in stored(dataset_id)] == [{"validate": True}, {}]


def test_plain_calls_each_leave_a_result(lab: Lab) -> None:
    dataset_id = store_dataset(ITEMS)
    for _ in range(2):
        assert datasets.process_large_dataset(dataset_id, {})["processed_count"] == 4
    assert len(stored(dataset_id)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "unknown field `colour`; known: normalize, validate, quality_threshold"),
        ({"normalize": "yes"}, r"processing_options: Expected `bool`, got `str` - at `\$.normalize`"),
        ({"quality_threshold": 1.5}, r"Expected `float` <= 1.0 - at `\$.quality_threshold`"),
        (None, "processing_options: Expected `object`, got `null`"),
    ],
)
def test_bad_option_is_refused_by_name_and_nothing_is_stored_or_reported(
    lab: Lab, options: Any, message: str
) -> None:
    dataset_id = store_dataset(ITEMS)
    with reported(lab, f"refused-{dataset_id}") as seen, pytest.raises(Exception, match=message):
        process(lab, dataset_id, options, f"refused-{dataset_id}")
    assert seen == []
    assert stored(dataset_id) == []


def test_unknown_dataset_is_refused_and_its_own_exception_kept(lab: Lab) -> None:
    sent = lab.client.send_task(TASK, (10**6, {}), queue="labtasks")
    with pytest.raises(Exception, match="there is no dataset 1000000") as raised:
        sent.get(timeout=20)
    assert type(raised.value).__name__ == "NoSuchDataset"
    assert sent.state == "FAILURE"


@pytest.mark.parametrize("items", [["text"], {"a": 1}, [{"a": 1}, None]])
def test_what_is_no_list_of_dictionaries_is_not_stored(lab: Lab, items: Any) -> None:
    with pytest.raises(BadParameters, match="a dataset is a list of dictionaries"):
        store_dataset(items)


def test_dataset_on_postgresql(lab: Lab, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_DATABASE_URL", postgresql)
    dataset_id = store_dataset(ITEMS)
    assert datasets.process_large_dataset(dataset_id, {"validate": True})["processed_count"] == 2
    (row,) = stored(dataset_id)
    assert row.data == ITEMS[:2]
    engine().dispose()
