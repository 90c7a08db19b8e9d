"""One member of one consumer group: takes records, remembers how far, goes back when told."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from operator import methodcaller

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import MemberFencedError, failure_of, member_failure_of
from connectors.kafka.lost_connection import LostConnectionError, WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import DragomanError, FatalError, TransientError
from schemas.records import InboundRecord

_NOT_A_FAILURE = frozenset({KafkaError._PARTITION_EOF})
_MOVED_RETRY_SECONDS = 0.1
# For a name that is no UTF-8, confluent-kafka gives back a broken list beside an exception. Called like this,
# Python notices and raises SystemError; called as a plain method, it stops noticing once the call is hot, and
# the process dies of the list.
_read_headers = methodcaller("headers")
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class OffsetClaim:
    """What a transaction says for one reader: the offsets behind what it took, and as which member it took it."""

    offsets: list[TopicPartition]
    member: object


@dataclass(frozen=True)
class Membership:
    """A member's place in its group; the (topic, partition) pairs that it holds."""

    is_member: bool = False
    partitions: tuple[tuple[str, int], ...] = ()


class GroupReader:
    """One thread's, but for `standing`. Never commits: a transaction does (connectors/kafka/transactional_producer.py)."""

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str], instance: str) -> None:
        self.group = group
        self.topics = list(topics)
        self._settings, self._instance = settings, instance
        self._consumer = self._open()
        # Of each partition: the first offset taken and not settled, and the one after the last.
        self._in_hand: dict[tuple[str, int], tuple[int, int]] = {}
        self._member_id: str | None = None
        self._is_stale = False
        self._has_joined = False
        self._is_second_client = False
        self._membership = Membership()
        self._looked_at = -inf
        self._longest_cycle_seconds = settings.max_poll_interval_ms / 1000

    def subscribe(self) -> None:
        """Join the group. Until then the member holds no partition."""
        self._consumer.subscribe(
            self.topics, on_assign=self._joined, on_revoke=self._forget, on_lost=self._forget_all
        )

    @property
    def is_member(self) -> bool:
        """Whether the group has told it its partitions, which may be none, and has not thrown it out since."""
        return self._has_joined and bool(self._consumer.memberid())

    @property
    def membership(self) -> Membership:
        """As it was at the last `take`, for any thread; none when that is longer ago than the group allows.

        The client serves one thread at a time and does not queue them: a thread that asked it beside an idle
        loop, which asks without a pause, would wait for minutes.
        """
        is_overdue = time.monotonic() - self._looked_at > self._longest_cycle_seconds
        return Membership() if is_overdue else self._membership

    @property
    def assignment(self) -> list[tuple[str, int]]:
        """The (topic, partition) pairs that this member holds."""
        return [(held.topic, held.partition) for held in self._consumer.assignment()]

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float = inf) -> list[InboundRecord]:
        """Up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError.

        The record that brings the values to `limit_bytes` is the last one. Also TransientError, when partitions
        went while their records were in hand, or the membership itself: then `rewind`.
        """
        self._look_around()
        try:
            return self._take(limit, timeout_seconds, limit_bytes)
        except (MemberFencedError, LostConnectionError) as error:
            raise self._begin_anew(error) from error

    def _take(self, limit: int, timeout_seconds: float, limit_bytes: float) -> list[InboundRecord]:
        # consume() waits for the full number, so wait for the first one only.
        records = self._hold(timeout_seconds, 1)
        # Without a bound in bytes, what has been fetched comes in one call.
        at_once, size = (limit - 1 if limit_bytes == inf else 1), _bytes_of(records)
        while 0 < len(records) < limit and size < limit_bytes and (more := self._hold(0, at_once)):
            records += more
            size += _bytes_of(more)
        return records

    def claim(self) -> OffsetClaim | None:
        """What to commit for the records taken since `settle` or `rewind`; None when there are none.

        Raises TransientError when the group has thrown this member out since: somebody else has the records.
        """
        if not self._in_hand:
            return None
        offsets = [TopicPartition(*place, after) for place, (_, after) in self._in_hand.items()]
        claim = OffsetClaim(offsets, self._consumer.consumer_group_metadata())
        # Asked after the metadata: the client forgets its id on its own thread when it is thrown out, and
        # metadata without id and generation would pass the broker's fence.
        if self._consumer.memberid() != self._member_id:
            raise TransientError(f"thrown out of group {self.group} with records in hand", _MOVED_RETRY_SECONDS)
        return claim

    def settle(self) -> None:
        """What was taken is committed."""
        self._is_second_client = False
        self._empty_hand()

    def rewind(self) -> None:
        """Take again whatever was taken and not settled. Raises TransientError when the client is not able to.

        It asks nobody: an answer from Kafka would have to wait for the rebalance that made the rewind necessary.
        """
        held = set(self.assignment)
        try:
            for place, (first, _) in self._in_hand.items():
                if place in held:
                    self._consumer.seek(TopicPartition(*place, first))
        except KafkaException as error:
            raise failure_of(error) from error
        self._empty_hand()

    def close(self) -> None:
        """Leave the group, so that others take over without waiting for a time-out; a static member stays."""
        self._consumer.close()

    def _empty_hand(self) -> None:
        self._in_hand.clear()
        self._is_stale = False

    def _open(self) -> Consumer:
        return WatchfulConsumer(self._settings, consumer_config(self._settings, self.group, self._instance))

    def _begin_anew(self, error: DragomanError) -> DragomanError:
        """Under the same name, from what is committed; what to raise.

        librdkafka (2.16) forgets its member id when the broker is away for longer than the session, and until
        the loss is polled its heartbeats go on without one: the broker takes them for a second process of that
        name. A real second process fences the transactional id as well, and of two that take the name from each
        other one ends: the one that is fenced again before anything was committed.
        """
        if self._is_second_client:
            return FatalError(str(error))
        self._consumer.close()
        self._consumer, self._is_second_client = self._open(), True
        self._has_joined = False
        self._empty_hand()
        self.subscribe()
        return TransientError(f"joins group {self.group} anew: {error}", _MOVED_RETRY_SECONDS)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._membership, self._looked_at = Membership(self.is_member, tuple(self.assignment)), now

    def _hold(self, timeout_seconds: float, limit: int) -> list[InboundRecord]:
        try:
            messages = self._consumer.consume(limit, timeout_seconds)
        except KafkaException as error:
            raise member_failure_of(error) from error
        if messages and not self._in_hand:
            self._member_id = self._consumer.memberid()
        # Failures last: what was taken beside one must be known before it raises, or a rewind would skip it.
        messages.sort(key=lambda message: message.error() is not None)
        records = [record for message in messages if (record := self._held(message))]
        if self._is_stale or (records and not self._member_id):
            raise TransientError(
                f"partitions of group {self.group} moved with records in hand", _MOVED_RETRY_SECONDS
            )
        return records

    def _held(self, message: Message) -> InboundRecord | None:
        record = record_of(message)
        if record is not None:
            place = (record.topic, record.partition)
            first, _ = self._in_hand.get(place, (record.offset, 0))
            self._in_hand[place] = (first, record.offset + 1)
        return record

    def _joined(self, _consumer: Consumer, _assigned: list[TopicPartition]) -> None:
        self._has_joined = True

    def _forget(self, _consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """Called inside `take` only. Their next owner starts before the records in hand."""
        for place in revoked:
            if self._in_hand.pop((place.topic, place.partition), None) is not None:
                self._is_stale = True

    def _forget_all(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        self._has_joined = False
        self._forget(consumer, lost)


def records_of(consumer: Consumer, limit: int, timeout_seconds: float) -> list[InboundRecord]:
    """What the consumer has within the timeout, up to `limit`. Raises TransientError or FatalError."""
    try:
        messages = consumer.consume(limit, timeout_seconds)
    except KafkaException as error:
        raise member_failure_of(error) from error
    return [record for message in messages if (record := record_of(message))]


def record_of(message: Message) -> InboundRecord | None:
    """The record in a message; None for a notice. Raises TransientError or FatalError for a failure."""
    error, topic, partition, offset = message.error(), message.topic(), message.partition(), message.offset()
    if error is not None and error.code() in _NOT_A_FAILURE:
        return None
    if error is not None or topic is None or partition is None or offset is None:
        raise member_failure_of(error or KafkaError(KafkaError._BAD_MSG))
    return InboundRecord(
        topic, partition, offset, message.key(), message.value(), _headers(message), message.timestamp()[1]
    )


def _bytes_of(records: Sequence[InboundRecord]) -> int:
    return sum(len(record.value or b"") for record in records)


def _headers(message: Message) -> dict[str, bytes]:
    try:
        found = _read_headers(message) or []
    except SystemError:
        return {}
    pairs = found.items() if isinstance(found, dict) else found
    return {name: value.encode() if isinstance(value, str) else value or b"" for name, value in pairs}
