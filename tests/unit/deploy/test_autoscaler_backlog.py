"""How much work waits: the words of records, the rate of arrival, the speed of a replica."""

from collections import deque
from collections.abc import Mapping, Sequence

import pytest

from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.partition_reader import Span
from deploy.autoscaler.backlog import (
    ArrivalRate,
    MeanWords,
    PartitionWords,
    PoolBacklog,
    ReplicaSpeed,
    WaitingRecord,
)
from deploy.autoscaler.decision import WaitingWork
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import batches_topic

HIGH = batches_topic("default", Priority.HIGH)


class FakeKafka:
    """Offsets and records of the high batches, two partitions; the reader sees at most `visible` records."""

    def __init__(self) -> None:
        self.words: dict[int, list[int]] = {0: [], 1: []}
        self.committed = {0: 0, 1: 0}
        self.firsts = {0: 0, 1: 0}
        self.ends: dict[tuple[str, int], int] = {}
        self.readings: list[dict[tuple[str, int], int]] = []
        self.paused: frozenset[tuple[str, int]] = frozenset()
        self._unread: deque[InboundRecord] = deque()

    def put(self, partition: int, *words: int, at_ms: int = 1_000) -> None:
        for count in words:
            offset = len(self.words[partition])
            self.words[partition].append(count)
            headers = {"words": str(count).encode()}
            self._unread.append(InboundRecord(HIGH, partition, offset, None, b"", headers, at_ms))

    def watched_lags(self, groups: Mapping[str, Sequence[str]]) -> dict[str, list[PartitionLag]]:
        found = [PartitionLag(HIGH, number, self.committed[number], len(self.words[number])) for number in (0, 1)]
        return {group: found if HIGH in topics else [] for group, topics in groups.items()}

    def spans(self, topics: list[str]) -> list[Span]:
        ends = {number: len(words) for number, words in self.words.items()}
        return [Span(topic, number, self.firsts[number], ends[number]) for topic in topics for number in ends]

    def read_from(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.readings.append(dict(offsets))

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        return [self._unread.popleft() for _ in range(min(limit, len(self._unread)))]

    def pause(self, partitions: frozenset[tuple[str, int]]) -> None:
        self.paused = partitions

    def end_transaction(self, partition: int) -> None:
        """Put a marker, which has an offset and is no record."""
        self.words[partition].append(0)
        self.ends = {(HIGH, partition): len(self.words[partition])}

    def stop_reading(self) -> None:
        self._unread.clear()


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def backlog(kafka: FakeKafka) -> PoolBacklog:
    return PoolBacklog(kafka, kafka, "default", read_ahead_records=3, memory_seconds=60.0)


def test_the_backlog_is_the_words_of_the_records_that_are_not_committed(
    kafka: FakeKafka, backlog: PoolBacklog
) -> None:
    kafka.put(0, 10, 400, 7)
    kafka.put(1, 30)
    kafka.committed = {0: 1, 1: -1001}

    waiting = backlog.measure(now=5.0)

    assert waiting[Priority.HIGH] == WaitingWork(437, 0.0, 4.0)
    assert waiting[Priority.CRITICAL] == waiting[Priority.STANDARD] == WaitingWork()


def test_reading_begins_once_where_the_group_stands(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 20)
    kafka.committed = {0: 1, 1: -1001}
    backlog.measure(5.0)
    kafka.committed = {0: 2, 1: -1001}
    backlog.measure(10.0)

    assert kafka.readings == [{(HIGH, 0): 1, (HIGH, 1): 0}]


def test_what_is_translated_waits_no_more(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 400, at_ms=1_000)
    backlog.measure(5.0)
    kafka.put(0, 5, at_ms=6_000)
    kafka.committed[0] = 2

    assert backlog.measure(10.0)[Priority.HIGH].backlog_words == 5
    assert backlog.measure(10.0)[Priority.HIGH].oldest_seconds == 4.0


def test_records_that_were_not_read_count_with_the_mean(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 20)
    backlog.measure(5.0)
    kafka.put(1, 1, 1)
    kafka.stop_reading()

    assert backlog.measure(10.0)[Priority.HIGH].backlog_words == 30 + 2 * 15


def test_a_partition_that_is_read_far_enough_ahead_is_left_alone_until_it_drains(
    kafka: FakeKafka, backlog: PoolBacklog
) -> None:
    kafka.put(0, 1, 1, 1)
    backlog.measure(5.0)
    backlog.measure(10.0)
    assert kafka.paused == {(HIGH, 0)}

    kafka.committed[0] = 2
    backlog.measure(15.0)
    assert kafka.paused == frozenset()


def test_a_group_that_was_set_back_is_read_again(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 20)
    kafka.committed[0] = 2
    backlog.measure(5.0)
    kafka.committed[0] = 0
    backlog.measure(10.0)

    assert kafka.readings[1:] == [{(HIGH, 0): 0, (HIGH, 1): 0}]


def test_records_that_their_retention_has_taken_do_not_wait(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 20, 30)
    kafka.stop_reading()
    kafka.committed, kafka.firsts = {0: -1001, 1: 0}, {0: 3, 1: 0}

    assert backlog.measure(5.0)[Priority.HIGH] == WaitingWork()


def test_records_that_were_read_and_then_expired_do_not_wait(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 10, 20, 30)
    backlog.measure(5.0)
    kafka.firsts[0] = 2

    assert backlog.measure(10.0)[Priority.HIGH].backlog_words == 30


def test_the_marker_of_a_transaction_behind_the_last_record_is_no_work(
    kafka: FakeKafka, backlog: PoolBacklog
) -> None:
    kafka.put(0, 10)
    kafka.end_transaction(0)
    kafka.committed[0] = 1

    assert backlog.measure(5.0)[Priority.HIGH] == WaitingWork()
    kafka.ends = {}
    assert backlog.measure(10.0)[Priority.HIGH].backlog_words == 0


def test_the_rate_of_arrival_comes_from_the_ends_of_the_partitions(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 100)
    assert backlog.measure(5.0)[Priority.HIGH].words_per_second == 0.0
    kafka.put(0, 100)
    kafka.put(1, 100)

    # 200 words in 10 s, of which one sixth of a minute's memory believes 1 - exp(-1/6)
    assert backlog.measure(15.0)[Priority.HIGH].words_per_second == pytest.approx(20 * 0.15352, rel=1e-3)


def test_the_markers_of_transactions_do_not_arrive(kafka: FakeKafka, backlog: PoolBacklog) -> None:
    kafka.put(0, 100)
    backlog.measure(5.0)
    kafka.end_transaction(0)
    kafka.put(0, 100)
    kafka.end_transaction(0)
    kafka.committed[0] = 3

    assert backlog.measure(15.0)[Priority.HIGH].words_per_second == pytest.approx(10 * 0.15352, rel=1e-3)


def test_ages_are_told_by_the_time_of_day_and_rates_by_a_clock_that_is_never_set(
    kafka: FakeKafka, backlog: PoolBacklog
) -> None:
    kafka.put(0, 100, at_ms=1_700_000_000_000)
    backlog.measure(5.0, wall=1_700_000_030.0)
    kafka.put(1, 100, at_ms=1_700_000_000_000)
    found = backlog.measure(15.0, wall=1_700_000_020.0)[Priority.HIGH]

    assert found.oldest_seconds == 20
    assert found.words_per_second == pytest.approx(10 * 0.15352, rel=1e-3)


def test_a_steady_rate_is_found_whatever_the_interval() -> None:
    for seconds in (1.0, 7.0):
        rate = ArrivalRate(memory_seconds=60.0)
        for _ in range(int(600 / seconds)):
            rate.add(50 * seconds, seconds)
        assert rate.per_second == pytest.approx(50, rel=1e-3)


def test_the_mean_forgets_what_is_long_past() -> None:
    mean = MeanWords(memory_records=10)
    for words in [5] * 10 + [50] * 100:
        mean.add(words)

    assert mean.words_per_record == pytest.approx(50, rel=1e-3)


def test_a_group_that_is_ahead_of_the_reader_leaves_nothing_behind() -> None:
    partition = PartitionWords(next_offset=0)
    partition.drop_committed(5)
    partition.add(WaitingRecord(3, 100, 1))

    assert (partition.words, partition.next_offset, partition.oldest_ms) == (0, 5, None)


def test_speed_is_words_by_seconds_of_work_and_the_first_guess_fades() -> None:
    speed = ReplicaSpeed(first_words_per_second=600.0, memory_seconds=60.0)
    assert speed.words_per_second == 600
    speed.add(400, 10.0)
    assert 40 < speed.words_per_second < 100
    for _ in range(60):
        speed.add(400, 10.0)
    assert speed.words_per_second == pytest.approx(40, rel=1e-3)
