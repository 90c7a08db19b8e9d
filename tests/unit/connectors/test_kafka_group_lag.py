"""What is left to read: a partition is looked into only when its lag stands still."""

from connectors.kafka.group_lag import LagReader, PartitionLag, ReadGroups


class Partition:
    """`records` of the offsets behind `committed` are records, the rest markers."""

    def __init__(self):
        self.committed, self.end, self.records, self.looks = 5, 6, 0, 0

    def lags(self, groups):
        return {group: [PartitionLag("t", 0, self.committed, self.end)] for group in groups}

    def is_empty(self, _lag):
        self.looks += 1
        return not self.records


def left(reader):
    return reader.lag("g", ["t"])[0].records


def test_a_marker_counts_until_it_is_known_to_be_one():
    partition = Partition()
    reader = LagReader(partition.lags, partition.is_empty)
    assert [left(reader) for _ in range(5)] == [1, 0, 0, 0, 0]
    assert partition.looks == 1


def test_a_record_that_is_not_read_counts_for_ever():
    partition = Partition()
    partition.records = 1
    reader = LagReader(partition.lags, partition.is_empty)
    assert [left(reader) for _ in range(4)] == [1] * 4


def test_what_comes_behind_a_marker_counts():
    partition = Partition()
    reader = LagReader(partition.lags, partition.is_empty)
    assert [left(reader), left(reader)] == [1, 0]
    partition.end, partition.records = 7, 1
    assert [left(reader), left(reader)] == [2, 2]


def test_a_partition_that_moves_is_not_looked_into():
    partition = Partition()
    reader = LagReader(partition.lags, partition.is_empty)
    for _ in range(5):
        left(reader)
        partition.committed += 1
        partition.end += 1
    assert partition.looks == 0


READ, UNREAD = [PartitionLag("t", 0, 7, 7), PartitionLag("t", 1, -1, 0)], [PartitionLag("t", 0, 6, 7)]
ENDS = {("t", 0): 7, ("t", 1): 0}


def groups_at(seconds):
    return ReadGroups(clock=lambda: seconds[0])


def test_a_group_that_has_read_everything_is_not_asked_again_until_something_is_written():
    groups = groups_at([0.0])
    assert groups.lags("g", ENDS) is None
    groups.note("g", READ)
    assert groups.lags("g", ENDS) == READ
    assert groups.lags("g", {**ENDS, ("t", 1): 1}) is None
    assert groups.lags("g", {**ENDS, ("t", 2): 0}) is None
    assert groups.lags("another", ENDS) is None


def test_a_group_that_has_something_to_read_is_asked_every_time():
    groups = groups_at([0.0])
    groups.note("g", [PartitionLag("t", 0, 7, 7)])
    groups.note("g", UNREAD)
    assert groups.lags("g", {("t", 0): 7}) is None


def test_after_a_minute_a_group_may_have_been_set_back():
    seconds = [0.0]
    groups = groups_at(seconds)
    groups.note("g", READ)
    seconds[0] = 59.0
    assert groups.lags("g", ENDS) == READ
    seconds[0] = 60.0
    assert groups.lags("g", ENDS) is None
