"""Open transactions as Kafka sees them: what partitions say, what coordinators say; and an end for one."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.structs import TopicPartition

from connectors.kafka.protocol_client import protocol_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction_messages import (
    DescribeProducers,
    DescribeTransactions,
    ListTransactions,
    WriteAbortMarker,
)
from schemas.errors import TransientError

CONSUMER_OFFSETS = "__consumer_offsets"
"""Where Kafka keeps what groups have committed; transactions write there too."""

_TIMEOUT_SECONDS = 10.0
_TRANSACTION_COORDINATOR = 1
_NOT_FOUND = 105  # TRANSACTIONAL_ID_NOT_FOUND
_NO_COORDINATOR_EPOCH = -1


@dataclass(frozen=True)
class OpenTransaction:
    """Of one producer in one partition, from `start_offset` on; readers of committed records wait there."""

    topic: str
    partition: int
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int
    start_offset: int


class KafkaTransactions:
    """One short connection for each question. Raises TransientError when Kafka is away or does not know yet."""

    def __init__(self, settings: KafkaSettings, topics: Collection[str]) -> None:
        self._settings = settings
        self._topics = topics

    def open(self) -> set[OpenTransaction]:
        """All that are open in the topics now, by what the leaders of their partitions say."""
        return asyncio.run(self._open())

    def unknown(self, transactions: Collection[OpenTransaction]) -> set[OpenTransaction]:
        """Those whose coordinator knows of no transaction with that partition: nobody will ever end them."""
        return asyncio.run(self._unknown(transactions))

    def abort(self, transaction: OpenTransaction) -> None:
        """Ends it in its partition. Raises TransientError when the broker refuses."""
        asyncio.run(self._abort(transaction))

    async def _open(self) -> set[OpenTransaction]:
        async with protocol_client(self._settings, _TIMEOUT_SECONDS) as client:
            cluster = await client.fetch_all_metadata()
            asked = [
                client.send(node, DescribeProducers(topics)) for node, topics in _by_leader(cluster, self._topics)
            ]
            answers = await asyncio.gather(*asked)
        return {one for answer in answers for one in _opened(answer.topics)}

    async def _unknown(self, transactions: Collection[OpenTransaction]) -> set[OpenTransaction]:
        producer_ids = sorted({one.producer_id for one in transactions})
        async with protocol_client(self._settings, _TIMEOUT_SECONDS) as client:
            cluster = await client.fetch_all_metadata()
            nodes = [broker.nodeId for broker in cluster.brokers()]
            lists = await asyncio.gather(*(client.send(node, ListTransactions(producer_ids)) for node in nodes))
            _check({answer.error_code for answer in lists})
            ids = {transactional_id for answer in lists for transactional_id, *_ in answer.transactions}
            described = [await _described(client, transactional_id) for transactional_id in sorted(ids)]
        known = {place for transaction in described for place in transaction}
        return {one for one in transactions if (one.producer_id, one.topic, one.partition) not in known}

    async def _abort(self, one: OpenTransaction) -> None:
        # As Kafka's own tool does where no transaction has ended in the partition yet.
        epoch = 0 if one.coordinator_epoch == _NO_COORDINATOR_EPOCH else one.coordinator_epoch
        place = (one.topic, one.partition)
        async with protocol_client(self._settings, _TIMEOUT_SECONDS) as client:
            cluster = await client.fetch_all_metadata()
            request = WriteAbortMarker((one.producer_id, one.producer_epoch), place, epoch)
            answer = await client.send(_leader(cluster, *place), request)
        _check({code for _, topics, _ in answer.markers for _, parts, _ in topics for _, code, _ in parts})


def _by_leader(cluster: Any, topics: Iterable[str]) -> Iterator[tuple[int, dict[str, list[int]]]]:
    """Each leading broker with its partitions of the topics. Raises TransientError."""
    led: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for topic in topics:
        for partition in cluster.partitions_for_topic(topic) or ():
            led[_leader(cluster, topic, partition)][topic].append(partition)
    yield from led.items()


def _leader(cluster: Any, topic: str, partition: int) -> int:
    """The broker's number. Raises TransientError where there is none."""
    leader: int | None = cluster.leader_for_partition(TopicPartition(topic, partition))
    if leader is None or leader < 0:
        raise TransientError(f"{topic}-{partition} has no leader")
    return leader


def _opened(topics: Iterable[Any]) -> Iterator[OpenTransaction]:
    for topic, partitions, _ in topics:
        for partition, error_code, _, producers, _ in partitions:
            _check({error_code})
            for producer_id, epoch, _, _, coordinator_epoch, start_offset, _ in producers:
                if start_offset >= 0:
                    yield OpenTransaction(topic, partition, producer_id, epoch, coordinator_epoch, start_offset)


async def _described(client: Any, transactional_id: str) -> set[tuple[int, str, int]]:
    """(producer id, topic, partition) of the transaction that the coordinator knows under this id."""
    node = await client.coordinator_lookup(_TRANSACTION_COORDINATOR, transactional_id)
    answer = await client.send(node, DescribeTransactions(transactional_id))
    ((error_code, _, _, _, _, producer_id, _, topics, _),) = answer.transactions
    if error_code == _NOT_FOUND:
        return set()
    _check({error_code})
    return {(producer_id, topic, partition) for topic, partitions, _ in topics for partition in partitions}


def _check(codes: Collection[int]) -> None:
    if failed := sorted(code for code in codes if code):
        raise TransientError(f"Kafka answers with error codes {failed}")
