"""Reading without a group: what the client is asked for, and what its answers lead to. The client is a fake."""

from types import SimpleNamespace

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException

from connectors.kafka import partition_reader
from connectors.kafka.partition_reader import LogScan, PartitionReader, RecordLookup, Span, open_tail
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError

SETTINGS = KafkaSettings()


class Message:
    def __init__(self, offset, code=None, partition=0):
        self.numbers, self.code = (partition, offset), code

    def error(self):
        return None if self.code is None else KafkaError(self.code)

    def topic(self):
        return "t"

    def partition(self):
        return self.numbers[0]

    def offset(self):
        return self.numbers[1]

    def key(self):
        return b"k"

    value = key

    def headers(self):
        return []

    def timestamp(self):
        return 1, 5


def end_at(offset):
    return Message(offset, KafkaError._PARTITION_EOF)


class Client:
    """Notes what it is asked for; `answers` are those to `consume`, `watermarks` those to questions for them."""

    def __init__(self):
        self.calls, self.answers, self.watermarks, self.config = [], [], [(0, 10)], {}

    def consume(self, limit, timeout_seconds):
        self.calls.append(("consume", limit, timeout_seconds))
        return self.answers.pop(0) if self.answers else []

    def assign(self, partitions):
        self.calls.append(("assign", [(one.topic, one.partition, one.offset) for one in partitions]))

    def pause(self, partitions):
        self.calls.append(("pause", sorted(one.partition for one in partitions)))

    def resume(self, partitions):
        self.calls.append(("resume", sorted(one.partition for one in partitions)))

    def get_watermark_offsets(self, _partition, timeout):
        found = self.watermarks.pop(0)
        if isinstance(found, int):
            raise KafkaException(KafkaError(found))
        return found

    def list_topics(self, _topic, timeout):
        return SimpleNamespace(topics={"t": SimpleNamespace(partitions={0: None})})

    def close(self):
        self.calls.append(("close",))


@pytest.fixture
def client(monkeypatch):
    client = Client()

    def open_client(_settings, config):
        client.config = config
        return client

    monkeypatch.setattr(partition_reader, "WatchfulConsumer", open_client)
    return client


def offsets(records):
    return [record.offset for record in records]


def test_a_take_waits_for_the_first_record_and_adds_what_was_fetched(client):
    client.answers = [[Message(1)], [Message(2), Message(3)]]
    assert offsets(PartitionReader(SETTINGS, "test").take(100, 0.5)) == [1, 2, 3]
    assert client.calls == [("consume", 1, 0.5), ("consume", 99, 0)]


def test_a_reader_that_fills_its_takes_waits_for_the_full_number(client):
    client.answers = [[Message(1), Message(2)]]
    assert offsets(PartitionReader(SETTINGS, "test", fills_takes=True).take(100, 0.5)) == [1, 2]
    assert client.calls == [("consume", 100, 0.5)]


def test_offset_zero_means_the_first_record_that_is_still_there(client):
    PartitionReader(SETTINGS, "test").read_from({("t", 0): 0, ("t", 1): 7})
    assert client.calls == [("assign", [("t", 0, OFFSET_BEGINNING), ("t", 1, 7)])]


def test_pausing_some_partitions_resumes_the_others(client):
    reader = PartitionReader(SETTINGS, "test")
    reader.pause({("t", 0), ("t", 1)})
    reader.pause({("t", 1), ("t", 2)})
    assert client.calls[2:] == [("pause", [2]), ("resume", [0])]


@pytest.mark.parametrize("notices_ends", [True, False])
def test_only_readers_that_want_them_get_notices_of_ends(client, notices_ends):
    client.answers = [[Message(1)], [end_at(2)]]
    reader = PartitionReader(SETTINGS, "test", notices_ends=notices_ends)
    assert client.config["enable.partition.eof"] is notices_ends
    reader.take(10, 0.5)
    assert reader.ends == {("t", 0): 2}
    reader.take(10, 0.5)
    assert reader.ends == {}


def test_whoever_waits_for_the_end_of_a_partition_is_told_soon(client):
    settings = KafkaSettings(fetch_wait_ms=500)
    PartitionReader(settings, "test", notices_ends=True)
    assert client.config["fetch.wait.max.ms"] <= 50
    PartitionReader(settings, "test")
    assert client.config["fetch.wait.max.ms"] == 500


def test_who_fills_its_takes_hears_of_ends_late_but_asks_no_more_often_for_it(client):
    settings = KafkaSettings(fetch_wait_ms=500)
    PartitionReader(settings, "test", fills_takes=True, notices_ends=True)
    assert client.config["fetch.wait.max.ms"] == 500


def test_a_failure_among_the_messages_is_raised(client):
    client.answers = [[Message(1, KafkaError._TRANSPORT)]]
    with pytest.raises(TransientError, match="_TRANSPORT"):
        PartitionReader(SETTINGS, "test").take(10, 0.5)


def test_a_tail_waits_for_a_leader_and_starts_at_a_number(client, monkeypatch):
    monkeypatch.setattr(partition_reader, "_RETRY_SECONDS", 0)
    client.watermarks = [KafkaError.LEADER_NOT_AVAILABLE, (3, 12)]
    open_tail(SETTINGS, "t")
    assert client.calls == [("assign", [("t", 0, 12)])]


def test_a_tail_that_never_gets_a_leader_is_closed_and_says_so(client, monkeypatch):
    monkeypatch.setattr(partition_reader, "_ANSWER_SECONDS", 0)
    client.watermarks = [KafkaError.LEADER_NOT_AVAILABLE]
    with pytest.raises(TransientError, match="LEADER_NOT_AVAILABLE"):
        open_tail(SETTINGS, "t")
    assert client.calls == [("close",)]


@pytest.mark.parametrize(
    ("watermarks", "answer", "found"),
    [
        ((0, 10), [Message(5)], 5),
        ((0, 10), [Message(6)], None),  # compacted
        ((0, 10), [end_at(10)], None),  # never committed
        ((6, 10), [], None),  # expired
        ((0, 5), [], None),  # not written yet
        (KafkaError.UNKNOWN_TOPIC_OR_PART, [], None),
        (KafkaError._UNKNOWN_PARTITION, [], None),
    ],
)
def test_a_lookup_finds_exactly_the_record_at_its_offset(client, watermarks, answer, found):
    client.watermarks, client.answers = [watermarks], [answer]
    record = RecordLookup(SETTINGS).find("t", 0, 5)
    assert (record and record.offset) == found


def test_a_lookup_that_gets_no_answer_is_a_transient_failure(client):
    with pytest.raises(TransientError, match="did not send t-0-5"):
        RecordLookup(SETTINGS).find("t", 0, 5)


def test_a_scan_ends_with_the_last_record_of_its_span(client):
    client.answers = [[Message(0)], [Message(1), Message(2)]]
    scan = LogScan(SETTINGS, [Span("t", 0, 0, 2), Span("t", 1, 5, 5)])
    assert (offsets(scan.take(10, 0.5)), scan.is_done, scan.take(10, 0.5)) == ([0, 1], True, [])
    assert ("pause", [0]) in client.calls


@pytest.mark.parametrize(("end", "is_done"), [(1, False), (2, True), (3, True)])
def test_a_scan_ends_where_committed_records_end_behind_its_span(client, end, is_done):
    client.answers = [[Message(0)], [end_at(end)]]
    scan = LogScan(SETTINGS, [Span("t", 0, 0, 2)])
    assert (offsets(scan.take(10, 0.5)), scan.is_done) == ([0], is_done)
    assert scan.share == (1.0 if is_done else 0.5)


@pytest.mark.parametrize(("before", "first"), [(0, 10), (10, 10), (15, 15), (20, 20)])
def test_what_is_done_is_left_out_of_a_span(before, first):
    assert Span("results", 0, 10, 20).without(before) == Span("results", 0, first, 20)


def test_of_a_topic_that_ends_before_nothing_is_done():
    assert Span("results", 0, 0, 5).without(20) == Span("results", 0, 0, 5)
