"""A fetch that leaves partitions out is not held for long: it hangs on private parts of a pinned version."""

from types import SimpleNamespace

import aiokafka.consumer.consumer
import pytest
from aiokafka.structs import TopicPartition

from connectors.faust.fetching import HurryingFetcher, hurry_partial_fetches

LONG = 1500
PARTITIONS = [TopicPartition("translation.requests.high", number) for number in range(3)]


class Assignment:
    """Three partitions, the first of which may be paused."""

    tps = PARTITIONS

    def __init__(self, *, is_first_paused=False):
        self.is_first_paused = is_first_paused

    def state_value(self, partition):
        is_paused = self.is_first_paused and partition == PARTITIONS[0]
        return SimpleNamespace(has_valid_position=True, paused=is_paused, resume_fut=None, position=7)


@pytest.fixture
def fetcher():
    """Return one that has heard of one broker, which leads all partitions but the last."""
    fetcher = HurryingFetcher.__new__(HurryingFetcher)
    cluster = SimpleNamespace(leader_for_partition=lambda partition: 2 if partition == PARTITIONS[2] else 1)
    fetcher._client = SimpleNamespace(cluster=cluster)
    fetcher._records, fetcher._preferred_read_replica, fetcher._in_flight = {}, {}, set()
    fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes, fetcher._fetch_max_bytes = LONG, 1, 1_000
    fetcher._max_partition_fetch_bytes, fetcher._isolation_level = 1_000, 1
    fetcher._client_rack, fetcher._fetcher_timeout = "", 1
    return fetcher


def waits(fetcher, assignment):
    """Return how long each broker may hold its fetch."""
    return {node: request._max_wait_ms for node, request in fetcher._get_actions_per_node(assignment)[0]}


def test_a_fetch_of_all_partitions_of_a_broker_is_held_for_long(fetcher):
    assert waits(fetcher, Assignment()) == {1: LONG, 2: LONG}


def test_a_fetch_without_a_paused_partition_is_held_for_a_moment(fetcher):
    assert waits(fetcher, Assignment(is_first_paused=True)) == {1: 50, 2: LONG}


def test_a_fetch_without_a_partition_of_which_records_wait_is_held_for_a_moment(fetcher):
    fetcher._records[PARTITIONS[0]] = SimpleNamespace(calculate_backoff=lambda: 0)
    assert waits(fetcher, Assignment()) == {1: 50, 2: LONG}


def test_a_shorter_wait_stays_as_it_is(fetcher):
    fetcher._fetch_max_wait_ms = 20
    assert waits(fetcher, Assignment(is_first_paused=True)) == {1: 20, 2: 20}


def test_consumers_that_start_use_it(monkeypatch):
    monkeypatch.setattr(aiokafka.consumer.consumer, "Fetcher", aiokafka.consumer.consumer.Fetcher)
    hurry_partial_fetches()
    assert aiokafka.consumer.consumer.Fetcher is HurryingFetcher
