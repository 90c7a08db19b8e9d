"""Transactions, fencing, rewinding and topics on a real broker."""

import uuid

import pytest

from connectors.kafka.admin import KafkaAdmin, open_lag_reader
from connectors.kafka.partition_reader import open_tail
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord
from schemas.topics import CONTROL, TRANSLATED, catalogue
from tests.group_traffic import send, take_all

pytestmark = pytest.mark.real


def test_every_topic_of_the_catalogue_is_created_once_and_passes_the_check(settings):
    admin = KafkaAdmin(settings)
    assert admin.create_topics() == []
    assert admin.check_topics() == []
    assert admin.compare_topics() == []
    assert set(admin.partitions()) >= {topic.name for topic in catalogue(settings.plan)}


def test_a_wrong_partition_count_is_named(settings):
    other = KafkaSettings(bootstrap=settings.bootstrap, partitions=7)
    assert any(
        "translation.results: 6 partitions, the catalogue says 7" in line
        for line in KafkaAdmin(other).check_topics()
    )


def test_a_setting_that_differs_in_the_cluster_is_named_with_its_cure(settings):
    other = KafkaSettings(bootstrap=settings.bootstrap, replication=3)
    found = KafkaAdmin(other).compare_topics()
    assert {(one.name, one.found, one.wanted) for one in found} == {("min.insync.replicas", "1", "2")}
    assert {one.topic for one in found} == {topic.name for topic in catalogue(other.plan)}
    assert all(one.cure.endswith("--add-config min.insync.replicas=2") for one in found)


def test_acknowledged_records_can_be_read_with_key_and_headers(settings, key, joined):
    reader = joined(settings)
    send(settings, CONTROL, key, 3)
    found = take_all(reader, key, 3)
    assert [record.value for record in found] == [b"0", b"1", b"2"]
    assert found[0].headers == {"h": b"x"}
    assert found[0].timestamp_ms > 0


def test_outputs_and_offsets_are_committed_together(settings, key, joined):
    group = str(uuid.uuid4())
    reader, output = joined(settings, group), open_tail(settings, TRANSLATED)
    send(settings, CONTROL, key, 5)
    found = take_all(reader, key, 5)
    producer = TransactionalProducer(settings, f"test-{group}")
    producer.commit([OutboundRecord(TRANSLATED, key, record.value or b"") for record in found], [reader])
    reader.close()
    assert [record.value for record in take_all(output, key, 5)] == [b"0", b"1", b"2", b"3", b"4"]
    again = joined(settings, group)
    assert take_all(again, key, 1) == []
    # Records of other tests lie in other partitions.
    (partition,) = {record.partition for record in found}
    lags = {part.partition: part.records for part in KafkaAdmin(settings).lag(group, [CONTROL])}
    assert lags[partition] == 0
    output.close()


def test_what_was_taken_and_not_committed_is_taken_again_after_a_rewind(settings, key, joined):
    reader = joined(settings)
    send(settings, CONTROL, key, 4)
    first = take_all(reader, key, 4)
    reader.rewind()
    assert [record.offset for record in take_all(reader, key, 4)] == [record.offset for record in first]


def test_an_aborted_transaction_is_never_seen(settings, key):
    output = open_tail(settings, TRANSLATED)
    producer = TransactionalProducer(settings, f"test-{uuid.uuid4()}")
    too_large = OutboundRecord(TRANSLATED, key, b"x" * (settings.max_message_bytes + 1))
    with pytest.raises(TransientError):
        producer.commit([OutboundRecord(TRANSLATED, key, b"aborted"), too_large], [])
    producer.commit([OutboundRecord(TRANSLATED, key, b"committed")], [])
    assert [record.value for record in take_all(output, key, 1)] == [b"committed"]
    output.close()


def test_a_second_process_with_the_same_id_fences_the_first(settings, key):
    name = f"test-{uuid.uuid4()}"
    output = open_tail(settings, TRANSLATED)
    zombie = TransactionalProducer(settings, name)
    zombie.commit([OutboundRecord(TRANSLATED, key, b"before")], [])
    successor = TransactionalProducer(settings, name)
    with pytest.raises(FatalError):
        zombie.commit([OutboundRecord(TRANSLATED, key, b"too late")], [])
    successor.commit([OutboundRecord(TRANSLATED, key, b"after")], [])
    assert [record.value for record in take_all(output, key, 2)] == [b"before", b"after"]
    output.close()


def test_markers_and_aborted_records_are_no_backlog(settings, key, joined):
    group = str(uuid.uuid4())
    reader, backlog = joined(settings, group), open_lag_reader(settings)
    producer = TransactionalProducer(settings, f"test-{group}")
    producer.commit([OutboundRecord(CONTROL, key, b"1")], [])
    take_all(reader, key, 1)
    while reader.take(500, 1.0):
        pass  # what other tests have left in other partitions
    producer.commit([], [reader])
    assert sum(part.records for part in KafkaAdmin(settings).lag(group, [CONTROL])) > 0
    backlog.lag(group, [CONTROL])
    assert sum(part.records for part in backlog.lag(group, [CONTROL])) == 0
    send(settings, CONTROL, key, 1)
    assert sum(part.records for part in backlog.lag(group, [CONTROL])) > 0
    assert sum(part.records for part in backlog.lag(group, [CONTROL])) > 0


def test_a_broker_that_is_away_is_a_transient_error(key):
    nowhere = KafkaSettings(bootstrap="127.0.0.1:1", delivery_timeout_ms=1000)
    producer = DurableProducer(nowhere)
    assert not producer.is_reachable(0.5)
    with pytest.raises(TransientError):
        producer.send([OutboundRecord(TRANSLATED, key, b"x")], timeout_seconds=3)
    producer.close(0.1)
