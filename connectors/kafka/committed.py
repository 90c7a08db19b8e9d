"""How far groups have come, asked as one of their kind and without joining.

The admin client's own question (list_consumer_group_offsets) ends the process: when the coordinator answers that
it is not the coordinator any more, or not yet, librdkafka (2.16) tells the client's group, and an admin client
has none. It is a segmentation fault (confluent-kafka-javascript issue 374), met at every first start of a cluster.
The admin client's other calls about groups (describe, alter offsets) never turn to the client's own group.
"""

from collections.abc import Collection, Sequence

from confluent_kafka import Consumer, TopicPartition

from connectors.kafka.client_config import client_config
from connectors.kafka.failures import failure_of
from connectors.kafka.settings import KafkaSettings

_FORGET_EVENTS = 100


class CommittedOffsets:
    """One client for each group that was asked for; it never becomes a member."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._clients: dict[str, Consumer] = {}

    def read(self, group: str, places: Sequence[TopicPartition], timeout_seconds: float) -> list[TopicPartition]:
        """The places with the group's offsets, negative where nothing was committed.

        Raises TransientError, FatalError or KafkaException.
        """
        client = self._client(group)
        # Without a subscription nothing but notices of lost connections comes; they must not pile up.
        client.consume(_FORGET_EVENTS, 0)
        found = client.committed(list(places), timeout=timeout_seconds) if places else []
        for place in found:
            if place.error:
                raise failure_of(place.error)
        return found

    @property
    def clients(self) -> Collection[Consumer]:
        """Those that were opened so far."""
        return self._clients.values()

    def _client(self, group: str) -> Consumer:
        if group not in self._clients:
            # Else the answer waits for transactions that are about to move the group.
            as_it_is = {"isolation.level": "read_uncommitted"}
            self._clients[group] = Consumer(client_config(self._settings) | {"group.id": group} | as_it_is)
        return self._clients[group]
