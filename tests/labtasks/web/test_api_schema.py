"""The API against its own OpenAPI document."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode

from celerylab import Lab
from tests.labtasks.web.serving import HEADERS, served

OPERATIONS = (
    "POST /tasks/add",
    "POST /tasks/long",
    "POST /tasks/process",
    "GET /tasks/{task_id}",
    "DELETE /tasks/{task_id}",
    "GET /health",
)
EXAMPLES = 30


@pytest.fixture(scope="module")
def document(lab: Lab) -> Iterator[schemathesis.BaseSchema]:
    with served(lab) as (server, _):
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_document_holds_all_operations(document: schemathesis.BaseSchema) -> None:
    assert {each.ok().label for each in document.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_the_document_promises(
    document: schemathesis.BaseSchema, label: str, mode: GenerationMode
) -> None:
    method, path = label.split()
    operation = document[path][method]
    if mode is GenerationMode.NEGATIVE and path == "/health":
        pytest.skip("nothing to get wrong")

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        # no answer of 500 or more, and status, headers and body as the document has them
        case.call_and_validate(headers=HEADERS)

    ask()
