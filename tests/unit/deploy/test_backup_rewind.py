"""Where the usage sink goes on after a restore."""

import pytest

from deploy.backup.job import rewind_usage
from schemas.errors import FatalError
from schemas.topics import USAGE


class Cluster:
    def __init__(self, ends):
        self._ends = ends
        self.moved = None
        self.emptied = []

    def wait_until_empty(self, group):
        self.emptied.append(group)

    def ends(self, topic):
        assert topic == USAGE
        return self._ends

    def move_group(self, group, offsets):
        assert self.emptied == [group]
        self.moved = group, offsets


def test_the_sink_goes_on_behind_the_last_restored_row_of_each_partition():
    cluster = Cluster({0: 100, 1: 50, 2: 7})
    assert rewind_usage(cluster, {"0": 41, "1": 49}) == {0: 42, 1: 50, 2: 0}
    assert cluster.moved == ("usage_sink", {(USAGE, 0): 42, (USAGE, 1): 50, (USAGE, 2): 0})


def test_offsets_of_another_cluster_are_refused():
    cluster = Cluster({0: 40})
    with pytest.raises(FatalError, match="another cluster"):
        rewind_usage(cluster, {"0": 40})
    assert cluster.moved is None
