import pytest

from stream_apps.pipeline.partition_turns import PartitionTurns


def dealt(count, turns=None, topic="translation.batches.default.high"):
    turns = turns or PartitionTurns()
    return [turns.next(topic) for _ in range(count)]


@pytest.mark.parametrize("partitions", [1, 2, 3, 5, 6, 7, 12])
def test_every_partition_has_its_turn_before_one_has_its_second(partitions):
    found = dealt(3 * partitions, PartitionTurns(partitions))
    for at in range(0, len(found), partitions):
        assert sorted(found[at : at + partitions]) == list(range(partitions))


def test_neighbours_go_to_different_halves():
    assert dealt(7) == [0, 3, 1, 4, 2, 5, 0]


def test_each_topic_has_turns_of_its_own():
    turns = PartitionTurns()
    assert dealt(2, turns) == [0, 3]
    assert dealt(2, turns, "translation.batches.default.critical") == [0, 3]
    assert dealt(2, turns) == [1, 4]
