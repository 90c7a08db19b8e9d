"""Everything that the OpenAPI document describes is asked, well and badly: the application answers as described.

No 5xx, no status, media type, header or body that the document does not have. `make test-openapi` asks much more.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.openapi.platform import described_app

# Of each operation and each kind of data; the deep run asks for hundreds.
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "2"))
IS_DEEP = EXAMPLES > 2

schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture(scope="module")
def described():
    app, key = described_app()
    loaded = schemathesis.openapi.from_asgi("/openapi.json", app)
    loaded.config.headers = {"X-API-Key": key}
    loaded.config.phases.coverage.enabled = IS_DEEP
    return loaded


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not IS_DEEP,
    suppress_health_check=list(HealthCheck),
)
def test_the_application_answers_as_described(case):
    case.call_and_validate()
