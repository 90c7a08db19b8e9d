"""What a group has still to read, as readers of committed records count it.

Offsets alone say too much: transaction markers and aborted records have offsets, but nobody will ever read
them. Behind the last answer of a transactional writer an idle group would seem to lag for ever.
"""

from collections.abc import Callable
from dataclasses import replace

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.kafka.admin import KafkaAdmin, PartitionLag
from connectors.kafka.client_config import consumer_config
from connectors.kafka.failures import failure_of
from connectors.kafka.settings import KafkaSettings

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


def open_lag_reader(settings: KafkaSettings) -> LagReader:
    """On a real cluster. Nothing connects before the first measurement."""
    config = consumer_config(settings, "dragoman.backlog", "backlog") | {"enable.partition.eof": True}
    return LagReader(KafkaAdmin(settings).lag, lambda lag: _reaches_end(config, lag))


def _reaches_end(config: dict[str, str | int | float | bool], lag: PartitionLag) -> bool:
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
