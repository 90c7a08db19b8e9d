"""A transaction that no coordinator knows holds up readers of committed records until it is ended."""

import asyncio
import uuid

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.client_config import client_config, transactional_config
from connectors.kafka.open_transactions import KafkaTransactions
from connectors.kafka.partition_reader import PartitionReader
from connectors.kafka.producer import DurableProducer
from schemas.records import OutboundRecord
from schemas.topics import CONTROL
from stream_apps.repair.hanging import HangingTransactions

pytestmark = pytest.mark.real

_PARTITION = 0


@pytest.fixture
def unverified(settings):
    """A broker that takes records of a transaction without asking its coordinator, as older ones do."""
    admin = AdminClient(client_config(settings))
    _verify(admin, "false")
    yield
    _verify(admin, "true")


def _verify(admin, value):
    entry = ConfigEntry(
        "transaction.partition.verification.enable", value, incremental_operation=AlterConfigOpType.SET
    )
    for broker in admin.list_topics(timeout=10).brokers:
        resource = ConfigResource(ResourceType.BROKER, str(broker), incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result(10)


def leave_hanging(settings):
    """Writes one record of a transaction of which the coordinator is never told."""
    name = f"hanging-{uuid.uuid4()}"
    # Waits until there is a coordinator.
    Producer(transactional_config(settings, name)).init_transactions(20)
    asyncio.run(_leave_hanging(settings, name))


async def _leave_hanging(settings, name):
    client = AIOKafkaClient(bootstrap_servers=settings.bootstrap)
    await client.bootstrap()
    try:
        node = await client.coordinator_lookup(1, name)
        answer = await client.send(node, InitProducerIdRequest(name, 60_000))
        assert answer.error_code == 0
        batch = DefaultRecordBatchBuilder(2, 0, 1, answer.producer_id, answer.producer_epoch, 0, 1_000)
        batch.append(0, None, b"k", b"never seen", [])
        stored = await client.send(
            node, ProduceRequest(name, -1, 10_000, [(CONTROL, [(_PARTITION, bytes(batch.build()))])])
        )
        ((_, ((_, error_code, *_),)),) = stored.topics
        assert error_code == 0
    finally:
        await client.close()


def values_behind(settings, first):
    reader = PartitionReader(settings, "test")
    reader.read_from({(CONTROL, _PARTITION): first})
    found = [record.value for _ in range(10) for record in reader.take(100, 0.2)]
    reader.close()
    return found


def write(settings, value):
    producer = DurableProducer(settings)
    producer.send([OutboundRecord(CONTROL, b"k", value, {}, _PARTITION)])
    producer.close()


@pytest.fixture
def open_producer(settings):
    """A transaction that is open and known, and is aborted at the end."""
    producer = Producer(transactional_config(settings, f"open-{uuid.uuid4()}"))
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(CONTROL, b"not yet", b"k", partition=_PARTITION)
    producer.flush(10)
    yield producer
    producer.abort_transaction(10)


def test_readers_go_on_behind_a_hanging_transaction_once_it_is_ended(settings, unverified):
    write(settings, b"before it")
    first = KafkaAdmin(settings).ends(CONTROL)[_PARTITION]
    leave_hanging(settings)
    write(settings, b"behind it")
    assert values_behind(settings, first) == []
    clock = iter((0, 60))
    hanging = HangingTransactions(KafkaTransactions(settings, [CONTROL]), 10, lambda: next(clock))
    hanging.turn()
    assert values_behind(settings, first) == []
    hanging.turn()
    assert values_behind(settings, first) == [b"behind it"]
    assert KafkaTransactions(settings, [CONTROL]).held_up() == set()


def test_an_open_transaction_that_its_coordinator_knows_is_left_alone(settings, open_producer):
    transactions = KafkaTransactions(settings, [CONTROL])
    ((topic, partition, start),) = transactions.held_up()
    assert (topic, partition) == (CONTROL, _PARTITION)
    opened = transactions.open({(CONTROL, _PARTITION)})
    assert {one.position for one in opened} == {(topic, partition, start)}
    assert [(one.topic, one.partition) for one in opened] == [(CONTROL, _PARTITION)]
    assert transactions.unknown(opened) == set()
    clock = iter((0, 60))
    hanging = HangingTransactions(transactions, 10, lambda: next(clock))
    hanging.turn()
    hanging.turn()
    assert transactions.open({(CONTROL, _PARTITION)}) == opened
