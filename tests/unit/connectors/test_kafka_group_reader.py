"""A group member that forgets what it lost: the client library is replaced, its order of calls kept."""

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.group_member import Membership
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.lost_connection import LostConnectionError
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FatalError, TransientError


class Message:
    def __init__(self, partition, offset, error=None, size=0):
        self._place = (partition, offset)
        self._error = error
        self._value = b"x" * size

    def error(self):
        return self._error

    def topic(self):
        return "t"

    def partition(self):
        return self._place[0]

    def offset(self):
        return self._place[1]

    def key(self):
        return None

    def value(self):
        return self._value

    def headers(self):
        return None

    def timestamp(self):
        return (1, 0)


class Consumer:
    """Each `consume` serves the next entry: messages, or a callback to run before it returns nothing."""

    def __init__(self):
        self.script, self.member, self.sought, self.is_closed = [], "m-1", [], False

    def subscribe(self, _topics, on_assign, on_revoke, on_lost):
        self.on_assign, self.on_revoke, self.on_lost = on_assign, on_revoke, on_lost

    def consume(self, _count, _timeout):
        step = self.script.pop(0) if self.script else []
        if callable(step):
            step()
            return []
        return step

    def memberid(self):
        return self.member

    def consumer_group_metadata(self):
        return ("metadata of", self.member)

    def assignment(self):
        return [TopicPartition("t", 0)]

    def seek(self, partition):
        self.sought.append(partition)

    def close(self):
        self.is_closed = True


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.setattr("connectors.kafka.group_member.WatchfulConsumer", lambda _settings, _config: Consumer())
    reader = GroupReader(KafkaSettings(), "g", ["t"], "i")
    reader.subscribe()
    return reader


def lose(reader, partition):
    return lambda: reader._consumer.on_lost(reader._consumer, [TopicPartition("t", partition)])


def revoke(reader, partition):
    return lambda: reader._consumer.on_revoke(reader._consumer, [TopicPartition("t", partition)])


@pytest.mark.parametrize("go", [lose, revoke])
def test_a_partition_that_goes_between_the_two_polls_of_one_take_is_not_claimed(reader, go):
    reader._consumer.script = [[Message(0, 7)], go(reader, 0)]
    with pytest.raises(TransientError, match="moved with records in hand"):
        reader.take(5, 0)
    assert reader.claim() is None


def test_a_partition_that_goes_between_two_takes_of_a_cycle_undoes_the_cycle(reader):
    reader._consumer.script = [[Message(0, 7)], revoke(reader, 0), []]
    assert len(reader.take(1, 0)) == 1
    with pytest.raises(TransientError):
        reader.take(1, 0)
    with pytest.raises(TransientError):
        reader.take(1, 0)
    reader.rewind()
    assert reader.take(1, 0) == []
    assert reader._consumer.sought == []


def test_a_partition_of_which_nothing_is_in_hand_may_go(reader):
    reader._consumer.script = [[Message(0, 7)], revoke(reader, 1)]
    assert len(reader.take(5, 0)) == 1
    claim = reader.claim()
    assert [(found.partition, found.offset) for found in claim.offsets] == [(0, 8)]


def test_a_rewind_goes_back_to_the_first_record_in_hand(reader):
    reader._consumer.script = [[Message(0, 7)], [Message(0, 8), Message(0, 9)]]
    reader.take(3, 0)
    reader.rewind()
    assert [(found.partition, found.offset) for found in reader._consumer.sought] == [(0, 7)]
    assert reader.claim() is None


def test_what_is_taken_beside_a_failure_is_not_skipped(reader):
    away = KafkaError(KafkaError._TRANSPORT)
    reader._consumer.script = [[Message(0, 7)], [Message(0, 8, away), Message(0, 8)]]
    with pytest.raises(TransientError, match="_TRANSPORT"):
        reader.take(3, 0)
    reader.rewind()
    assert [(found.partition, found.offset) for found in reader._consumer.sought] == [(0, 7)]


def test_a_failed_rewind_forgets_nothing(reader):
    def refuse(_place):
        raise KafkaException(KafkaError(KafkaError._STATE))

    reader._consumer.script = [[Message(0, 7)]]
    reader.take(1, 0)
    healthy, reader._consumer.seek = reader._consumer.seek, refuse
    with pytest.raises(TransientError):
        reader.rewind()
    reader._consumer.seek = healthy
    reader.rewind()
    assert [found.offset for found in reader._consumer.sought] == [7]


def test_records_that_were_taken_as_another_member_cannot_be_claimed(reader):
    reader._consumer.script = [[Message(0, 7)]]
    reader.take(1, 0)
    reader._consumer.member = None
    with pytest.raises(TransientError, match="thrown out of group g"):
        reader.claim()


def test_records_of_nobody_are_not_taken(reader):
    reader._consumer.script, reader._consumer.member = [[Message(0, 7)]], None
    with pytest.raises(TransientError):
        reader.take(1, 0)


FENCED = KafkaError(KafkaError._FATAL, "Static consumer fenced", fatal=True)


def be_fenced(reader):
    reader._consumer.script = [[Message(0, 7)], [Message(0, 8, FENCED)]]
    reader.take(1, 0)
    reader.take(1, 0)


def test_a_fenced_member_begins_anew_with_another_client_and_nothing_in_hand(reader):
    fenced = reader._consumer
    with pytest.raises(TransientError, match="joins group g anew"):
        be_fenced(reader)
    reader.rewind()
    assert fenced.is_closed
    assert reader._consumer is not fenced
    assert reader.claim() is None
    reader._consumer.script = [[Message(0, 7)]]
    assert [record.offset for record in reader.take(1, 0)] == [7]


@pytest.mark.parametrize("has_committed", [True, False])
def test_a_member_that_is_fenced_again_gives_up_unless_it_has_committed_meanwhile(reader, has_committed):
    with pytest.raises(TransientError):
        be_fenced(reader)
    reader.rewind()
    if has_committed:
        reader.settle()
    with pytest.raises(TransientError if has_committed else FatalError, match="Static consumer fenced"):
        be_fenced(reader)


def be_lost(reader):
    def fail():
        raise LostConnectionError("Kafka answers others")

    reader._consumer.script = [fail]
    reader.take(1, 0)


def test_a_member_whose_client_is_lost_begins_anew_and_gives_up_when_the_next_one_is_lost_too(reader):
    with pytest.raises(TransientError, match="joins group g anew: Kafka answers others"):
        be_lost(reader)
    reader.rewind()
    with pytest.raises(FatalError, match="Kafka answers others"):
        be_lost(reader)


def test_it_is_a_member_from_its_first_assignment_until_it_is_thrown_out(reader):
    assert not reader.is_member
    reader._consumer.on_assign(reader._consumer, [])
    assert reader.is_member
    reader._consumer.member = None
    assert not reader.is_member


def test_other_threads_are_told_what_it_was_at_its_last_take(reader, monkeypatch):
    now = 100.0
    monkeypatch.setattr("connectors.kafka.group_member.time.monotonic", lambda: now)
    assert reader.membership == Membership()
    reader._consumer.on_assign(reader._consumer, [])
    reader.take(1, 0)
    reader._consumer.memberid = reader._consumer.assignment = None  # whoever asks the client now waits for ever
    assert reader.membership == Membership(is_member=True, partitions=(("t", 0),))


def test_a_reader_that_takes_nothing_for_longer_than_the_group_allows_has_no_standing(reader, monkeypatch):
    times = iter([100.0, 219.0, 221.0])
    monkeypatch.setattr("connectors.kafka.group_member.time.monotonic", lambda: next(times))
    reader._consumer.on_assign(reader._consumer, [])
    reader.take(1, 0)
    assert reader.membership.is_member
    assert not reader.membership.is_member


@pytest.mark.parametrize(
    ("limit", "limit_bytes", "taken"), [(20, 250, 3), (20, 300, 3), (20, 1, 1), (2, 10_000, 2), (20, 10_000, 10)]
)
def test_the_record_that_fills_the_bytes_is_the_last_one(reader, limit, limit_bytes, taken):
    reader._consumer.script = [[Message(0, offset, size=100)] for offset in range(10)]
    assert len(reader.take(limit, 0, limit_bytes)) == taken
    assert len(reader._consumer.script) == 10 - taken
