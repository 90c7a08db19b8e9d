"""How far groups have come, asked as one of their kind and without joining.

The admin client's own question (list_consumer_group_offsets) ends the process: when the coordinator answers that
it is not the coordinator any more, or not yet, librdkafka (2.16) tells the client's group, and an admin client
has none. It is a segmentation fault (confluent-kafka-javascript issue 374), met at every first start of a cluster.
The admin client's other calls about groups (describe, alter offsets) never turn to the client's own group.

What a group has still to read, as readers of committed records count it.

Offsets alone say too much: transaction markers and aborted records have offsets, but nobody will ever read
them. Behind the last answer of a transactional writer an idle group would seem to lag for ever.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.client_config import client_config
from connectors.kafka.errors import failure_of
from connectors.kafka.settings import KafkaSettings

_FORGET_EVENTS = 100


@dataclass(frozen=True)
class PartitionLag:
    """How many records of one partition a group has still to read."""

    topic: str
    partition: int
    committed: int
    end: int

    @property
    def records(self) -> int:
        return max(self.end - max(self.committed, 0), 0)


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


_PROBE_SECONDS = 5.0

IsEmpty = Callable[[PartitionLag], bool]
Lags = Callable[[str, list[str]], list[PartitionLag]]


class LagReader:
    """Looks into a partition only when its lag is the same as at the last measurement. Not thread-safe."""

    def __init__(self, lags: Lags, is_empty: IsEmpty) -> None:
        self._lags = lags
        self._is_empty = is_empty
        self._last: dict[tuple[str, str, int], tuple[PartitionLag, bool]] = {}

    def lag(self, group: str, topics: list[str]) -> list[PartitionLag]:
        """As KafkaAdmin.lag; where nothing but markers is left, the lag is 0. Raises TransientError."""
        return [self._corrected(group, lag) for lag in self._lags(group, topics)]

    def _corrected(self, group: str, lag: PartitionLag) -> PartitionLag:
        place = (group, lag.topic, lag.partition)
        last, was_empty = self._last.get(place, (None, False))
        is_empty = lag == last and lag.records > 0 and (was_empty or self._is_empty(lag))
        self._last[place] = (lag, is_empty)
        return replace(lag, end=max(lag.committed, 0)) if is_empty else lag


def reaches_end(config: dict[str, str | int | float | bool], lag: PartitionLag) -> bool:
    """Whether a reader that starts at the committed offset comes to the end without a record."""
    consumer = Consumer(config)
    try:
        start = lag.committed if lag.committed >= 0 else OFFSET_BEGINNING
        consumer.assign([TopicPartition(lag.topic, lag.partition, start)])
        first = next(iter(consumer.consume(1, _PROBE_SECONDS)), None)
    except KafkaException as error:
        raise failure_of(error) from error
    finally:
        consumer.close()
    notice = first.error() if first else None
    return notice is not None and notice.code() == KafkaError._PARTITION_EOF
