"""A member of a consumer group whose offsets a transaction commits: connectors/kafka/transactional_producer.py."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from confluent_kafka import KafkaException, Message, TopicPartition

from connectors.kafka.errors import failure_of
from connectors.kafka.group_member import MOVED_RETRY_SECONDS, GroupMember
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord


@dataclass(frozen=True)
class OffsetClaim:
    """What a transaction commits for one reader: the offsets behind its records, and the member that took them."""

    offsets: list[TopicPartition]
    member: object


class GroupReader(GroupMember):
    """Takes records and rewinds when told to. It never commits."""

    def __init__(self, settings: KafkaSettings, group: str, topics: Sequence[str], instance: str) -> None:
        super().__init__(settings, group, topics, instance)
        # For each partition: the first offset that was taken and not settled, and the one after the last.
        self._in_hand: dict[tuple[str, int], tuple[int, int]] = {}
        self._member_id: str | None = None
        self._is_stale = False

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float = inf) -> list[InboundRecord]:
        """Return up to `limit` records, none after the timeout. Raises TransientError or FatalError.

        The record with which the values reach `limit_bytes` is the last one. It is also a TransientError if
        partitions are revoked while their records are in hand, or the membership is lost: then `rewind`.
        """
        return self._take_records(limit, timeout_seconds, limit_bytes)

    def claim(self) -> OffsetClaim | None:
        """Return what to commit for the records taken since `settle` or `rewind`; None if there are none.

        Raises TransientError if the group has removed this member since: another member has the records now.
        """
        if not self._in_hand:
            return None
        offsets = [TopicPartition(*partition, after) for partition, (_, after) in self._in_hand.items()]
        claim = OffsetClaim(offsets, self._consumer.consumer_group_metadata())
        # Compared after the metadata was read: a removed member loses its id on a thread of the client, and
        # metadata without id and generation would pass the broker's fence.
        if self._consumer.memberid() != self._member_id:
            raise TransientError(f"thrown out of group {self.group} with records in hand", MOVED_RETRY_SECONDS)
        return claim

    def settle(self) -> None:
        """Note that everything taken is committed."""
        self._is_second_client = False
        self._empty_hand()

    def rewind(self) -> None:
        """Take everything again that was taken and not settled. Raises TransientError if the client cannot.

        No broker is asked: its answer would wait for the rebalance that made the rewind necessary.
        """
        held = set(self.assignment)
        try:
            for partition, (first, _) in self._in_hand.items():
                if partition in held:
                    self._consumer.seek(TopicPartition(*partition, first))
        except KafkaException as error:
            raise failure_of(error) from error
        self._empty_hand()

    def _empty_hand(self) -> None:
        self._in_hand.clear()
        self._is_stale = False

    def _begin_anew(self) -> None:
        self._empty_hand()

    def _records(self, messages: list[Message]) -> list[InboundRecord]:
        if messages and not self._in_hand:
            self._member_id = self._consumer.memberid()
        records = super()._records(messages)
        if self._is_stale or (records and not self._member_id):
            raise TransientError(
                f"partitions of group {self.group} moved with records in hand", MOVED_RETRY_SECONDS
            )
        return records

    def _took(self, record: InboundRecord) -> None:
        partition = (record.topic, record.partition)
        first, _ = self._in_hand.get(partition, (record.offset, 0))
        self._in_hand[partition] = (first, record.offset + 1)

    def _gave_up(self, partitions: Iterable[tuple[str, int]], *, is_lost: bool) -> None:
        # The next owner takes these records again, whether it has the partition already or not.
        del is_lost
        for partition in partitions:
            if self._in_hand.pop(partition, None) is not None:
                self._is_stale = True
