"""Everything that the OpenAPI document describes is asked, with its examples, well and badly.

No 5xx, no status, media type, header or body that the document does not have. This asks a little of everything;
`make test-openapi` asks thousands of things, in sequences too.

schemathesis takes a second to load, which the processes that run other tests need not wait for.
"""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.openapi.platform import described_app

# Of each operation; some of them break its schema.
EXAMPLES = 2


@pytest.fixture(scope="module")
def described():
    import schemathesis

    app, key = described_app()
    return schemathesis.openapi.from_asgi("/openapi.json", app), {"X-API-Key": key}


def test_the_application_answers_as_described(described):
    from tests.openapi.asking import ask, cases, operations

    schema, headers = described
    asked = []
    for operation in operations(schema):

        @given(case=cases(operation))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def answers(case) -> None:
            ask(case, headers)

        answers()
        asked.append(operation.label)
    assert len(asked) > 45


def spoil_status(answer) -> None:
    answer.status_code = 418


def spoil_type(answer) -> None:
    answer.headers["content-type"] = ["text/html"]


def spoil_body(answer) -> None:
    answer.content = b'{"tenant": 7}'


@pytest.mark.parametrize(
    ("failure", "spoil"),
    [("UndefinedStatusCode", spoil_status), ("UndefinedContentType", spoil_type), ("JsonSchemaError", spoil_body)],
)
def test_an_answer_that_is_not_described_is_found(described, failure, spoil):
    from schemathesis.errors import FailureGroup

    from tests.openapi.asking import CHECKS, ask

    schema, headers = described
    case = schema["/api/v1/account"]["GET"].Case()
    ask(case, headers)
    answer = case.call(headers=dict(headers))
    spoil(answer)
    with pytest.raises(FailureGroup) as found:
        case.validate_response(answer, checks=CHECKS)
    assert failure in {type(one).__name__ for one in found.value.exceptions}
