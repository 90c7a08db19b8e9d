"""What a restore of usage knows of the rows that are there."""

from typing import Any, cast

import pytest

from connectors.clickhouse.database import Database
from deploy.backup.usage import UsageRestore


class Rows:
    """A database in which these are the last offsets."""

    def __init__(self, last: dict[int, int]) -> None:
        self._last = last

    def rows(self, _sql: str) -> list[tuple[Any, ...]]:
        return list(self._last.items())


@pytest.mark.parametrize(
    ("last", "is_behind"), [({0: 41, 1: 7}, False), ({0: 42, 1: 7}, True), ({2: 0}, True), ({}, False)]
)
def test_rows_behind_those_of_the_backup_are_of_a_sink_that_has_gone_on(
    last: dict[int, int], is_behind: bool
) -> None:
    restore = UsageRestore(cast(Database, Rows(last)), "b1")
    assert restore.has_rows_behind({"0": 41, "1": 7}) is is_behind
