"""Ask what the OpenAPI document describes, and hold the answers against it (schemathesis)."""

from collections.abc import Iterator

from hypothesis.strategies import SearchStrategy, one_of
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.core.result import Err
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def operations(schema: BaseSchema) -> Iterator[APIOperation]:
    """Yield every operation. Raises where schemathesis cannot read one."""
    for found in schema.get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        yield found.ok()


def cases(operation: APIOperation) -> SearchStrategy[Case]:
    """Return the examples of the document, what fits it, and what does not."""
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    return one_of(*operation.get_strategies_from_examples(), *modes)


def ask(case: Case, headers: dict[str, str]) -> Response:
    """Return the answer. Raises where it is a 5xx, or not as described."""
    answer = case.call(headers=dict(headers))
    assert answer.status_code < 500, answer.text
    case.validate_response(answer, checks=CHECKS)
    return answer
