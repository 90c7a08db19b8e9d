"""What several contract suites need."""

from collections.abc import Iterator

import pytest

from connectors.clickhouse.database import Database
from stream_apps.usage_sink.prices import EXAMPLE_PRICES


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Iterator[Database]:
    """The embedded engine with our tables, in a folder of the suite's own."""
    made = Database(f"chdb://{tmp_path_factory.mktemp('clickhouse')}")
    made.create(EXAMPLE_PRICES)
    yield made
    made.close()
