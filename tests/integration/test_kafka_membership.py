"""Who is in a group, who is thrown out of it or fenced, and what that does to the records in hand."""

import gc
import time
import uuid
from collections import Counter
from contextlib import suppress

import pytest
from confluent_kafka import TopicPartition

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.group_reader import GroupReader, OffsetClaim
from connectors.kafka.lost_connection import STATISTICS_MS
from connectors.kafka.producer import DurableProducer
from connectors.kafka.static_membership import close_readers
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.telemetry.health import Health
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord
from schemas.topics import CONTROL, TRANSLATED
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor
from tests.fleet import until
from tests.group_traffic import NAME, send, take_all, take_in_turn, take_some
from tests.ports import free_port

pytestmark = pytest.mark.real


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


def test_a_member_hears_from_the_library_that_it_is_connected(settings, joined):
    reader = joined(settings)
    reader._consumer._link.is_connected = False
    end = time.monotonic() + STATISTICS_MS / 1000 + 10
    while not reader._consumer._link.is_connected and time.monotonic() < end:
        reader.take(1, 0.05)
    assert reader._consumer._link.is_connected


def test_a_member_that_was_thrown_out_of_its_group_has_nothing_to_claim(settings, key, joined):
    reader = joined(settings)
    send(settings, CONTROL, key, 1)
    take_all(reader, key, 1)
    assert reader.claim() is not None
    # As the client does by itself when the session is over: the member id is gone before anybody is told.
    reader._member_id = "the id before"
    with pytest.raises(TransientError, match="thrown out"):
        reader.claim()


def shares_of(members):
    """Let each member take once; return of each topic how many of its partitions each member holds."""
    for member in members:
        with suppress(TransientError):  # what other tests wrote may be in hand while partitions move
            member.take(1, 0.05)
        member.rewind()
    held = [Counter(topic for topic, _ in member.assignment) for member in members]
    return {topic: sorted(one[topic] for one in held) for topic in (CONTROL, TRANSLATED)}


def test_every_member_gets_its_share_of_every_topic(settings, joined):
    """Or one of two assemblers has all orders, and the other one all answers."""
    group = str(uuid.uuid4())
    members = [joined(settings, group, (CONTROL, TRANSLATED)) for _ in range(2)]
    until(lambda: shares_of(members) == {CONTROL: [3, 3], TRANSLATED: [3, 3]}, "equal shares of two")
    members.append(joined(settings, group, (CONTROL, TRANSLATED)))
    until(lambda: shares_of(members) == {CONTROL: [2, 2, 2], TRANSLATED: [2, 2, 2]}, "equal shares of three")


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


# kafka-python (3.0.12) leaves sockets that were refused to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
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
    gc.collect()


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
    with pytest.raises(TransientError, match="joins group"):
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
    partition = TopicPartition(record.topic, record.partition, record.offset + 1)
    producer = TransactionalProducer(settings, f"test-{group}")
    producer._write([OutboundRecord(TRANSLATED, key, b"unfenced")], [OffsetClaim([partition], nobody)])
    (lag,) = [one for one in KafkaAdmin(settings).lag(group, [CONTROL]) if one.partition == record.partition]
    assert lag.committed == record.offset + 1
    stranger.close()


def test_a_member_that_stops_reading_is_dead_though_its_loop_turns(settings, key, joined):
    reader, health = joined(settings), Health(silence_seconds=3)
    watch = ConsumerHealthMonitor(settings.model_copy(update={"progress_interval_seconds": 0.3}), [reader], health)
    watch.start()
    producer = TransactionalProducer(settings, f"test-{key.decode()}")
    for _ in range(20):
        reader.take(500, 0.2)
        producer.commit([], [reader])
    assert (health.is_alive(), health.reason) == (True, "")
    reader._consumer.pause([TopicPartition(*partition) for partition in reader.assignment])
    send(settings, CONTROL, key, 1)
    for _ in range(60):
        assert reader.take(1, 0.2) == []
        if not health.is_alive():
            break
    assert not health.is_alive()
    watch.stop()


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
