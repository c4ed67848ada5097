"""Reports: files really written, in phases that are reported."""

import csv
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from celerylab import Lab
from labtasks import datasets, reports, users  # no task among this module's names: pytest would load it
from labtasks.database import engine
from labtasks.datasets import store_dataset
from labtasks.queues import CPU_INTENSIVE
from labtasks.settings import settings
from tests.labtasks.progress import reported

TASK = "labtasks.reports.generate_report"


def report(lab: Lab, *args: Any, task_id: str | None = None) -> Any:
    return lab.client.send_task(TASK, args, queue=CPU_INTENSIVE, task_id=task_id).get(timeout=20)


def rows(made: dict[str, Any]) -> list[dict[str, str]]:
    with Path(made["file_path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_users_of_a_domain_are_written_to_a_file(lab: Lab) -> None:
    first = users.register('Zoë, "Z"', "zoe@One.example")
    second = users.register("ken", "ken@one.example")
    users.register("other", "other@notone.example")
    users.change([second], "activate")
    made = report(lab, "users", {"domain": "one.example"}, task_id="one-domain")
    assert made.pop("generated_at") > 0
    path = settings().work_folder / "reports" / "users-one-domain.csv"
    assert made == {
        "report_type": "users",
        "file_path": str(path),
        "parameters": {"domain": "one.example"},
    }
    assert path.read_text(encoding="utf-8").splitlines() == [
        "id,username,email,is_active,domain",
        f'{first},"Zoë, ""Z""",zoe@One.example,False,one.example',
        f"{second},ken,ken@one.example,True,one.example",
    ]
    assert [path.name for path in path.parent.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize(("is_active", "expected"), [(True, ["b"]), (False, ["a"]), (None, ["a", "b"])])
def test_users_are_filtered_by_whether_they_are_active(
    lab: Lab, is_active: bool | None, expected: list[str]
) -> None:
    domain = f"{is_active}.example"
    users.register("a", f"a@{domain}")
    users.change([users.register("b", f"b@{domain}")], "activate")
    made = report(lab, "users", {"domain": domain, "is_active": is_active})
    assert [row["username"] for row in rows(made)] == expected


def test_users_are_sorted_by_domain(lab: Lab) -> None:
    for address in ("x@b.sorted.example", "y@a.sorted.example", "z@b.sorted.example"):
        users.register("aiko", address)
    found = [row["email"] for row in rows(report(lab, "users", {})) if ".sorted." in row["email"]]
    assert found == ["y@a.sorted.example", "x@b.sorted.example", "z@b.sorted.example"]


def test_report_on_nobody_has_its_columns_only(lab: Lab) -> None:
    made = report(lab, "users", {"domain": "%"})  # no wildcard
    assert Path(made["file_path"]).read_text() == "id,username,email,is_active,domain\n"


def test_runs_of_each_dataset_are_added_up(lab: Lab) -> None:
    one, two = store_dataset([{"a": 1}, {"a": None}]), store_dataset([{"a": 1}])
    for dataset_id, options in ((two, {}), (one, {}), (one, {"validate": True})):
        datasets.process_large_dataset(dataset_id, options)
    found = [row for row in rows(report(lab, "processing", {})) if int(row["dataset_id"]) in (one, two)]
    first = {"dataset_id": str(one), "runs": "2", "processed": "3", "rejected": "1"}
    assert found == [first, {"dataset_id": str(two), "runs": "1", "processed": "1", "rejected": "0"}]
    assert rows(report(lab, "processing", {"dataset_id": one})) == [first]


def test_each_phase_is_reported(lab: Lab) -> None:
    with reported(lab, "phases") as seen:
        report(lab, "users", {}, task_id="phases")
    assert [(phase["status"], phase["progress"]) for phase in seen] == [
        ("Initializing report generation...", 0),
        ("Collecting data...", 25),
        ("Analyzing data...", 50),
        ("Generating report...", 75),
        ("Saving report...", 90),
    ]


def test_task_that_runs_twice_writes_one_file(lab: Lab) -> None:
    for _ in range(2):
        with reported(lab, "twice"):
            lab.client.send_task(TASK, ("users", {}), queue=CPU_INTENSIVE, task_id="twice")
    folder = settings().work_folder / "reports"
    assert [path.name for path in folder.iterdir() if "twice" in path.name] == ["users-twice.csv"]


def test_id_with_a_path_in_it_leads_nowhere_else(lab: Lab) -> None:
    made = report(lab, "users", {}, task_id="../../escaped")
    assert Path(made["file_path"]) == settings().work_folder / "reports" / "users-..%2F..%2Fescaped.csv"
    assert Path(made["file_path"]).is_file()


@pytest.mark.parametrize(
    ("report_type", "parameters", "message"),
    [
        ("sales", {}, "there is no report type 'sales'; known: processing, users"),
        ("../users", {}, "there is no report type '../users'"),
        (["users"], {}, r"there is no report type \['users'\]"),
        ("users", {"country": "JP"}, "report 'users': .*`country`; known: is_active, domain"),
        ("users", {"is_active": 1}, r"Expected `bool \| null`, got `int` - at `\$.is_active`"),
        ("processing", {"dataset_id": "1"}, r"Expected `int \| null`, got `str`"),
        ("users", None, "Expected `object`, got `null`"),
    ],
)
def test_bad_request_is_refused_by_name_before_any_progress(
    lab: Lab, report_type: Any, parameters: Any, message: str
) -> None:
    task_id = str(uuid4())
    with reported(lab, task_id) as seen, pytest.raises(Exception, match=message):
        report(lab, report_type, parameters, task_id=task_id)
    assert seen == []


def test_reports_go_to_the_queue_for_long_work(lab: Lab) -> None:
    route = reports.generate_report.app.amqp.router.route({}, TASK)
    assert route["queue"].name == CPU_INTENSIVE


def test_reports_on_postgresql(lab: Lab, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERYLAB_DATABASE_URL", postgresql)
    users.change([users.register("aiko", "aiko@Example.com")], "activate")
    datasets.process_large_dataset(store_dataset([{"a": 1}]), {})
    made = reports.generate_report("users", {"is_active": True, "domain": "example.com"})
    assert [(row["email"], row["is_active"]) for row in rows(made)] == [("aiko@Example.com", "True")]
    assert [row["processed"] for row in rows(reports.generate_report("processing", {}))] == ["1"]
    engine().dispose()
