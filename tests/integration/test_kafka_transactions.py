"""Transactions, fencing, rewinding and topics on a real broker."""

import time
import uuid

import pytest
from confluent_kafka import TopicPartition

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.backlog import open_backlog
from connectors.kafka.group_reader import Claim, GroupReader
from connectors.kafka.leaving import close_readers
from connectors.kafka.log_reader import LogReader
from connectors.kafka.producer import DurableProducer
from connectors.kafka.progress_watch import ProgressWatch
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from connectors.telemetry.health import Health
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord
from schemas.topics import CONTROL, STATUS, catalogue
from tests.ports import free_port

pytestmark = pytest.mark.real

NAME = "test"


@pytest.fixture
def settings(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap, session_timeout_ms=6000)
    KafkaAdmin(settings).create_topics()
    return settings


@pytest.fixture
def key():
    return str(uuid.uuid4()).encode()


def send(settings, topic, key, count):
    producer = DurableProducer(settings)
    producer.send([OutboundRecord(topic, key, str(number).encode(), {"h": b"x"}) for number in range(count)])
    producer.close()


def take_all(reader, key, count):
    """Reads on until that many records with the key are there."""
    found = []
    for _ in range(100):
        found += [record for record in reader.take(50, 0.2) if record.key == key]
        if len(found) >= count:
            break
    return found


def take_some(reader, partitions):
    """Reads on until records of that many partitions are there."""
    found = []
    for _ in range(1_000):
        found += reader.take(1, 0.1)
        if len({record.partition for record in found}) >= partitions:
            break
    return found


def take_in_turn(*readers):
    """So that a rebalance can come to its end."""
    for _ in range(300):
        for reader in readers:
            reader.take(1, 0.1)


@pytest.fixture
def joined():
    """Opens members of a group. One that a failed test left open would hold up the end of the session."""
    readers = []

    def join(settings, group=None):
        readers.append(GroupReader(settings, group or str(uuid.uuid4()), [CONTROL], NAME))
        readers[-1].subscribe()
        return readers[-1]

    yield join
    for reader in readers:
        reader.close()


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
    reader, output = joined(settings, group), LogReader(settings, STATUS)
    send(settings, CONTROL, key, 5)
    found = take_all(reader, key, 5)
    producer = TransactionalProducer(settings, f"test-{group}")
    producer.commit([OutboundRecord(STATUS, key, record.value or b"") for record in found], [reader])
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
    output = LogReader(settings, STATUS)
    producer = TransactionalProducer(settings, f"test-{uuid.uuid4()}")
    too_large = OutboundRecord(STATUS, key, b"x" * (settings.max_message_bytes + 1))
    with pytest.raises(TransientError):
        producer.commit([OutboundRecord(STATUS, key, b"aborted"), too_large], [])
    producer.commit([OutboundRecord(STATUS, key, b"committed")], [])
    assert [record.value for record in take_all(output, key, 1)] == [b"committed"]
    output.close()


def test_a_second_process_with_the_same_id_fences_the_first(settings, key):
    name = f"test-{uuid.uuid4()}"
    output = LogReader(settings, STATUS)
    zombie = TransactionalProducer(settings, name)
    zombie.commit([OutboundRecord(STATUS, key, b"before")], [])
    successor = TransactionalProducer(settings, name)
    with pytest.raises(FatalError):
        zombie.commit([OutboundRecord(STATUS, key, b"too late")], [])
    successor.commit([OutboundRecord(STATUS, key, b"after")], [])
    assert [record.value for record in take_all(output, key, 2)] == [b"before", b"after"]
    output.close()


def test_records_in_hand_are_given_up_when_their_partitions_move(settings, joined):
    group = str(uuid.uuid4())
    producer = DurableProducer(settings)
    producer.send([OutboundRecord(CONTROL, b"", b"", {}, number) for number in range(settings.partitions)])
    producer.close()
    holder = joined(settings, group)
    found = take_some(holder, settings.partitions)
    second = joined(settings, group)
    with pytest.raises(TransientError, match="moved with records in hand"):
        take_in_turn(holder, second)
    holder.rewind()
    assert holder.claim() is None
    held = set(holder.assignment)
    again = take_some(holder, len(held))
    assert {(record.topic, record.partition) for record in again} == held
    assert {record.offset for record in again} <= {record.offset for record in found}


def test_a_member_that_was_thrown_out_of_its_group_has_nothing_to_claim(settings, key, joined):
    reader = joined(settings)
    send(settings, CONTROL, key, 1)
    take_all(reader, key, 1)
    assert reader.claim() is not None
    # As the client does by itself when the session is over: the member id is gone before anybody is told.
    reader._member_id = "the id before"
    with pytest.raises(TransientError, match="thrown out"):
        reader.claim()


def take_until_it_fails(reader):
    for _ in range(200):
        reader.take(50, 0.1)


@pytest.mark.parametrize("for_good", [True, False])
def test_a_static_member_gives_its_place_up_only_when_it_goes_for_good(settings, key, joined, for_good):
    group, named = str(uuid.uuid4()), settings.model_copy(update={"static_membership": True})
    member = joined(named, group)
    send(settings, CONTROL, key, 1)
    take_all(member, key, 1)
    close_readers(named, [member], NAME, for_good=for_good)
    assert KafkaAdmin(settings).members(group) == (0 if for_good else 1)


def test_who_cannot_leave_because_the_broker_is_away_is_closed_all_the_same(settings, key, joined):
    group, named = str(uuid.uuid4()), settings.model_copy(update={"static_membership": True})
    member = joined(named, group)
    send(settings, CONTROL, key, 1)
    take_all(member, key, 1)
    away = named.model_copy(update={"bootstrap": f"127.0.0.1:{free_port()}"})
    began = time.monotonic()
    close_readers(away, [member], NAME, for_good=True)
    assert time.monotonic() - began < 8
    assert KafkaAdmin(settings).members(group) == 1


def fence_each_other(*members):
    for turn in range(400):
        try:
            members[turn % len(members)].take(1, 0.1)
        except TransientError:
            members[turn % len(members)].rewind()


def test_a_static_member_that_is_fenced_begins_anew_from_what_is_committed(settings, key, joined):
    group, named = str(uuid.uuid4()), settings.model_copy(update={"static_membership": True})
    member = joined(named, group)
    send(settings, CONTROL, key, 2)
    assert len(take_all(member, key, 2)) == 2
    joined(named, group).take(1, 3.0)
    with pytest.raises(TransientError, match="fenced in group"):
        take_until_it_fails(member)
    member.rewind()
    assert [record.value for record in take_all(member, key, 2)] == [b"0", b"1"]
    TransactionalProducer(settings, f"test-{group}").commit([], [member])
    assert member.is_member


def test_of_two_static_members_with_one_name_one_gives_up(settings, joined):
    group, named = str(uuid.uuid4()), settings.model_copy(update={"static_membership": True})
    members = [joined(named, group) for _ in range(2)]
    with pytest.raises(FatalError, match="fenced"):
        fence_each_other(*members)


def test_the_broker_alone_does_not_fence_who_has_no_member_id(settings, key, joined):
    """Why a claim compares member ids: this commit goes through although another member holds the partition."""
    group = str(uuid.uuid4())
    member = joined(settings, group)
    send(settings, CONTROL, key, 1)
    (record,) = take_all(member, key, 1)
    stranger = GroupReader(settings, group, [CONTROL], "stranger")
    nobody = stranger._consumer.consumer_group_metadata()
    place = TopicPartition(record.topic, record.partition, record.offset + 1)
    producer = TransactionalProducer(settings, f"test-{group}")
    producer._write([OutboundRecord(STATUS, key, b"unfenced")], [Claim([place], nobody)])
    (lag,) = [one for one in KafkaAdmin(settings).lag(group, [CONTROL]) if one.partition == record.partition]
    assert lag.committed == record.offset + 1
    stranger.close()


def test_markers_and_aborted_records_are_no_backlog(settings, key, joined):
    group = str(uuid.uuid4())
    reader, backlog = joined(settings, group), open_backlog(settings)
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


def test_a_member_that_stops_reading_is_dead_though_its_loop_turns(settings, key, joined):
    reader, health = joined(settings), Health(silence_seconds=3)
    watch = ProgressWatch(settings.model_copy(update={"progress_interval_seconds": 0.3}), [reader], health)
    watch.start()
    producer = TransactionalProducer(settings, f"test-{key.decode()}")
    for _ in range(20):
        reader.take(500, 0.2)
        producer.commit([], [reader])
    assert (health.is_alive(), health.reason) == (True, "")
    reader._consumer.pause([TopicPartition(*place) for place in reader.assignment])
    send(settings, CONTROL, key, 1)
    for _ in range(60):
        assert reader.take(1, 0.2) == []
        if not health.is_alive():
            break
    assert not health.is_alive()
    watch.stop()


def test_a_broker_that_is_away_is_a_transient_error(key):
    nowhere = KafkaSettings(bootstrap="127.0.0.1:1", delivery_timeout_ms=1000)
    producer = DurableProducer(nowhere)
    assert not producer.is_reachable(0.5)
    with pytest.raises(TransientError):
        producer.send([OutboundRecord(STATUS, key, b"x")], timeout_seconds=3)
    producer.close(0.1)


def test_a_group_that_rests_is_moved_and_one_with_members_is_not(settings, key, joined):
    send(settings, CONTROL, key, 3)
    group, admin = str(uuid.uuid4()), KafkaAdmin(settings)
    ends = admin.ends(CONTROL)
    assert admin.members(group) == 0
    admin.move_group(group, {(CONTROL, partition): end for partition, end in ends.items()})
    assert [lag.records for lag in admin.lag(group, [CONTROL])] == [0] * len(ends)
    reader = joined(settings, group)
    while not reader.assignment:
        reader.take(1, 0.2)
    assert admin.members(group) == 1
    with pytest.raises(TransientError):
        admin.move_group(group, {(CONTROL, 0): 0})


def test_a_group_whose_static_member_has_stopped_is_moved_when_its_session_ends(settings, joined):
    static = settings.model_copy(update={"static_membership": True, "session_timeout_ms": 6_000})
    group, admin = str(uuid.uuid4()), KafkaAdmin(static)
    reader = joined(static, group)
    while not reader.assignment:
        reader.take(1, 0.2)
    reader.close()
    assert admin.members(group) == 1
    admin.wait_until_empty(group)
    admin.move_group(group, {(CONTROL, 0): 0})
