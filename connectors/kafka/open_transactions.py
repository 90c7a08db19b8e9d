"""Find the transactions that are open in topics, ask whether their coordinators know them, and abort one.

Where committed records end before the last record, a transaction is open. That is cheap to see for all partitions
together, so only those are looked into.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.python_client import admin_client
from connectors.kafka.settings import KafkaSettings

CONSUMER_OFFSETS = "__consumer_offsets"
"""Kafka's own topic of committed offsets; transactions write there too."""

_TIMEOUT_SECONDS = 10.0
_NO_COORDINATOR_EPOCH = -1


HeldUp = tuple[str, int, int]
"""Topic, partition, and the offset at which readers of committed records wait."""


@dataclass(frozen=True)
class OpenTransaction:
    """What one producer has open in one partition; readers of committed records wait at `start_offset`."""

    topic: str
    partition: int
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int
    start_offset: int

    @property
    def position(self) -> HeldUp:
        """Return where it begins."""
        return self.topic, self.partition, self.start_offset


class KafkaTransactions:
    """Raises TransientError when Kafka is away or does not know yet. Not thread-safe.

    Every question but `held_up` opens a connection of its own.
    """

    def __init__(self, settings: KafkaSettings, topics: Collection[str]) -> None:
        self._settings = settings
        self._admin = KafkaAdmin(settings, _TIMEOUT_SECONDS)
        self._topics = sorted(topics)

    def held_up(self) -> set[HeldUp]:
        """Return where readers of the topics wait for the end of a transaction now."""
        return self._admin.held_up(self._topics)

    def open(self, partitions: Collection[tuple[str, int]]) -> set[OpenTransaction]:
        """Return all that are open in these partitions now, as the leaders of the partitions see it."""
        from kafka import TopicPartition  # noqa: PLC0415  # as python_client.py

        with admin_client(self._settings, _TIMEOUT_SECONDS) as client:
            found = client.describe_producers([TopicPartition(*partition) for partition in sorted(partitions)])
        return {
            _transaction(partition, producer)
            for partition, state in found.items()
            for producer in state.active_producers
            if producer.current_transaction_start_offset >= 0
        }

    def unknown(self, transactions: Collection[OpenTransaction]) -> set[OpenTransaction]:
        """Return those whose coordinator knows no transaction with that partition: nobody will ever end them."""
        producer_ids = sorted({one.producer_id for one in transactions})
        with admin_client(self._settings, _TIMEOUT_SECONDS) as client:
            lists = client.list_transactions(producer_id_filters=producer_ids).values()
            names = {listed.transactional_id for found in lists for listed in found}
            known = {partition for name in sorted(names) for partition in _known_partitions(client, name)}
        return {one for one in transactions if (one.producer_id, one.topic, one.partition) not in known}

    def abort(self, transaction: OpenTransaction) -> None:
        """End it in its partition. Raises TransientError when the broker refuses."""
        from kafka import TopicPartition  # noqa: PLC0415  # as python_client.py
        from kafka.admin import AbortTransactionSpec  # noqa: PLC0415  # as python_client.py

        # As Kafka's own tool does where no transaction has ended in the partition yet.
        epoch = transaction.coordinator_epoch
        epoch = 0 if epoch == _NO_COORDINATOR_EPOCH else epoch
        partition = TopicPartition(transaction.topic, transaction.partition)
        producer = (transaction.producer_id, transaction.producer_epoch)
        with admin_client(self._settings, _TIMEOUT_SECONDS) as client:
            client.abort_transaction(AbortTransactionSpec(partition, *producer, coordinator_epoch=epoch))


def _transaction(partition: Any, producer: Any) -> OpenTransaction:
    return OpenTransaction(
        topic=partition.topic,
        partition=partition.partition,
        producer_id=producer.producer_id,
        producer_epoch=producer.producer_epoch,
        coordinator_epoch=producer.coordinator_epoch,
        start_offset=producer.current_transaction_start_offset,
    )


def _known_partitions(client: Any, transactional_id: str) -> set[tuple[int, str, int]]:
    """Return (producer id, topic, partition) of all that the coordinator knows in the transaction of this id."""
    from kafka.errors import TransactionalIdNotFoundError  # noqa: PLC0415  # as python_client.py

    try:
        found = client.describe_transactions([transactional_id])[transactional_id]
    except TransactionalIdNotFoundError:
        return set()
    return {(found.producer_id, one.topic, one.partition) for one in found.topic_partitions}
