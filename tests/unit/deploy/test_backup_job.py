"""Where the usage sink goes on after a restore."""

from collections.abc import Mapping
from typing import cast

import pytest

from connectors.kafka.admin import KafkaAdmin
from deploy.backup.job import rewind_usage
from schemas.errors import FatalError
from schemas.topics import USAGE


class Cluster:
    """A cluster whose usage topic ends at these offsets."""

    def __init__(self, ends: dict[int, int]) -> None:
        self._ends = ends
        self.moved: tuple[str, Mapping[tuple[str, int], int]] | None = None
        self.emptied: list[str] = []

    def wait_until_empty(self, group: str) -> None:
        self.emptied.append(group)

    def ends(self, topic: str) -> dict[int, int]:
        assert topic == USAGE
        return self._ends

    def move_group(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        assert self.emptied == [group]
        self.moved = group, offsets

    def rewind(self, last_offsets: dict[str, int]) -> dict[int, int]:
        return rewind_usage(cast(KafkaAdmin, self), last_offsets)


def test_the_sink_goes_on_behind_the_last_restored_row_of_each_partition() -> None:
    cluster = Cluster({0: 100, 1: 50, 2: 7})
    assert cluster.rewind({"0": 41, "1": 49}) == {0: 42, 1: 50, 2: 0}
    assert cluster.moved == ("usage_sink", {(USAGE, 0): 42, (USAGE, 1): 50, (USAGE, 2): 0})


def test_offsets_of_another_cluster_are_refused() -> None:
    cluster = Cluster({0: 40})
    with pytest.raises(FatalError, match="another cluster"):
        cluster.rewind({"0": 40})
    assert cluster.moved is None
