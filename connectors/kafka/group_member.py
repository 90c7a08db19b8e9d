"""A member of a consumer group: joins it, takes records, tells what it holds, opens a new client when it must.

What is done with the records in hand differs: connectors/kafka/group_reader.py leaves their offsets to a
transaction, connectors/kafka/committing_reader.py commits them itself.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from operator import methodcaller
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.client_config import consumer_config
from connectors.kafka.errors import MemberFencedError, member_failure_of
from connectors.kafka.lost_connection import LostConnectionError, WatchfulConsumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import DragomanError, FatalError, TransientError
from schemas.records import InboundRecord

_NOT_A_FAILURE = frozenset({KafkaError._PARTITION_EOF})
MOVED_RETRY_SECONDS = 0.1
# If a header's name is not UTF-8, confluent-kafka returns a broken list and sets an exception as well. Called
# like this, Python notices and raises SystemError. Called as a plain method, Python stops noticing once the call
# is hot, and the broken list crashes the process.
_read_headers = methodcaller("headers")
# Each look asks two threads of the client. What changes without a call of ours is noticed this much later.
_MEMBERSHIP_SECONDS = 2.0


@dataclass(frozen=True)
class Membership:
    """Whether a reader is a member of its group, and the (topic, partition) pairs that it holds."""

    is_member: bool = False
    partitions: tuple[tuple[str, int], ...] = ()


class GroupMember(ABC):
    """For one thread, except `membership`. Subclasses keep account of the records in hand."""

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str], instance: str) -> None:
        self.group = group
        self.topics = list(topics)
        self._settings, self._instance = settings, instance
        self._has_joined = False
        self._is_second_client = False
        self._membership = Membership()
        self._membership_at = -inf
        self._is_membership_old = True
        self._max_poll_seconds = settings.max_poll_interval_ms / 1000
        self._consumer = self._open()

    def subscribe(self) -> None:
        """Join the group; until then the reader holds no partition."""
        self._consumer.subscribe(
            self.topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    @property
    def is_member(self) -> bool:
        """Tell whether the group has assigned it partitions, possibly none, and has not removed it since."""
        return self._has_joined and bool(self._consumer.memberid())

    @property
    def membership(self) -> Membership:
        """Return the membership at the last `take`, to any thread; none if the group allows no such pause.

        The client serves one thread at a time and does not queue them. An idle loop calls it without a pause, so
        another thread that asks the client itself would wait for minutes.
        """
        is_overdue = time.monotonic() - self._membership_at > self._max_poll_seconds
        return Membership() if is_overdue else self._membership

    @property
    def assignment(self) -> list[tuple[str, int]]:
        """Return the (topic, partition) pairs that this member holds."""
        return [(held.topic, held.partition) for held in self._consumer.assignment()]

    @abstractmethod
    def rewind(self) -> None:
        """Take everything again that is in hand. Raises TransientError if the client cannot."""

    def close(self) -> None:
        """Leave the group, so that others take over at once; a static member stays in it."""
        self._consumer.close()

    @abstractmethod
    def _took(self, record: InboundRecord) -> None:
        """Note that the record is in hand."""

    @abstractmethod
    def _gave_up(self, partitions: Iterable[tuple[str, int]], *, is_lost: bool) -> None:
        """Let go of partitions while records are taken. `is_lost`: another member may have them already."""

    @abstractmethod
    def _begin_anew(self) -> None:
        """Forget everything in hand: a new client starts from the committed offsets."""

    def _take_records(self, limit: int, timeout_seconds: float, limit_bytes: float = inf) -> list[InboundRecord]:
        """Return up to `limit` records, none after the timeout. Raises TransientError or FatalError.

        The record with which the values reach `limit_bytes` is the last one.
        """
        self._refresh_membership()
        try:
            return self._take(limit, timeout_seconds, limit_bytes)
        except (MemberFencedError, LostConnectionError) as error:
            raise self._reopen(error) from error

    def _config(self) -> dict[str, Any]:
        return consumer_config(self._settings, self.group, self._instance, len(self.topics))

    def _open(self) -> Consumer:
        return WatchfulConsumer(self._settings, self._config())

    def _reopen(self, error: DragomanError) -> DragomanError:
        """Open a new client under the same name, which starts from the committed offsets; return what to raise.

        librdkafka (2.16) forgets its member id if the broker is away for longer than the session, and it sends
        heartbeats without an id until the application polls. The broker takes them for a second process of that
        name. Of two processes that take the name from each other, the one that is fenced again before it has
        committed anything ends.
        """
        if self._is_second_client:
            return FatalError(str(error))
        self._consumer.close()
        self._consumer, self._is_second_client = self._open(), True
        self._has_joined, self._is_membership_old = False, True
        self._begin_anew()
        self.subscribe()
        return TransientError(f"joins group {self.group} anew: {error}", MOVED_RETRY_SECONDS)

    def _refresh_membership(self) -> None:
        now = time.monotonic()
        if self._is_membership_old or now - self._membership_at >= _MEMBERSHIP_SECONDS:
            self._is_membership_old = False
            self._membership, self._membership_at = Membership(self.is_member, tuple(self.assignment)), now

    def _take(self, limit: int, timeout_seconds: float, limit_bytes: float) -> list[InboundRecord]:
        # consume() would wait for the full number, so wait for the first record only.
        records = self._consume(timeout_seconds, 1)
        # Without a bound in bytes, what has been fetched comes in one call.
        at_once, size = (limit - 1 if limit_bytes == inf else 1), _bytes_of(records)
        while 0 < len(records) < limit and size < limit_bytes and (more := self._consume(0, at_once)):
            records += more
            size += _bytes_of(more)
        return records

    def _consume(self, timeout_seconds: float, limit: int) -> list[InboundRecord]:
        try:
            messages = self._consumer.consume(limit, timeout_seconds)
        except KafkaException as error:
            raise member_failure_of(error) from error
        return self._records(messages)

    def _records(self, messages: list[Message]) -> list[InboundRecord]:
        # Failures last: the records beside one must be in hand before it raises, or a rewind would skip them.
        messages.sort(key=lambda message: message.error() is not None)
        return [record for message in messages if (record := self._record(message))]

    def _record(self, message: Message) -> InboundRecord | None:
        record = record_of(message)
        if record is not None:
            self._took(record)
        return record

    def _on_assign(self, _consumer: Consumer, _assigned: list[TopicPartition]) -> None:
        self._has_joined = self._is_membership_old = True

    def _on_revoke(self, _consumer: Consumer, revoked: list[TopicPartition]) -> None:
        self._is_membership_old = True
        self._gave_up([(partition.topic, partition.partition) for partition in revoked], is_lost=False)

    def _on_lost(self, _consumer: Consumer, lost: list[TopicPartition]) -> None:
        self._has_joined, self._is_membership_old = False, True
        self._gave_up([(partition.topic, partition.partition) for partition in lost], is_lost=True)


def record_of(message: Message) -> InboundRecord | None:
    """Return the record in a message; None for a notice. Raises TransientError or FatalError for a failure."""
    error, topic, partition, offset = message.error(), message.topic(), message.partition(), message.offset()
    if error is not None and error.code() in _NOT_A_FAILURE:
        return None
    if error is not None or topic is None or partition is None or offset is None:
        raise member_failure_of(error or KafkaError(KafkaError._BAD_MSG))
    return InboundRecord(
        topic, partition, offset, message.key(), message.value(), _headers(message), message.timestamp()[1]
    )


def _bytes_of(records: Sequence[InboundRecord]) -> int:
    return sum(record.value_bytes for record in records)


def _headers(message: Message) -> dict[str, bytes]:
    try:
        found = _read_headers(message) or []
    except SystemError:
        return {}
    pairs = found.items() if isinstance(found, dict) else found
    return {name: value.encode() if isinstance(value, str) else value or b"" for name, value in pairs}
