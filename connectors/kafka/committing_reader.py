"""A member of a consumer group that commits by itself, in each partition up to the first unfinished record."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.commit_tracker import CommitTracker, Partition, Ticket
from connectors.kafka.errors import failure_of, member_failure_of
from connectors.kafka.group_member import GroupMember
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import ends_process_after
from schemas.records import InboundRecord

log = structlog.get_logger()

# A commit takes milliseconds unless the coordinator is away.
_STUCK_SECONDS = 8.0
# Unlike the monotonic clock it goes on while the machine is suspended.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class TakenRecord(NamedTuple):
    """A record, and the ticket under which its reader is told that it is finished."""

    record: InboundRecord
    ticket: Ticket


def boot_seconds() -> float:
    """Return the seconds since the machine started, those included in which it was suspended."""
    return time.clock_gettime(_CLOCK)


class CommittingReader(GroupMember):
    """Delivers at least once: what is not finished when its partition moves, somebody takes again.

    `before_release` is called when partitions with records in hand are to be given up, while they are still this
    member's: the last moment to finish what can be finished. It must not take from any reader.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        topics: Sequence[str],
        instance: str,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        super().__init__(settings, group, topics, instance)
        self.tracker = CommitTracker()
        self.before_release: Callable[[], None] = lambda: None
        self._clock = clock
        self._taken: list[TakenRecord] = []
        self._is_committing = False

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float = inf) -> list[TakenRecord]:
        """Return up to `limit` records, none after the timeout. Raises TransientError or FatalError.

        The record with which the values reach `limit_bytes` is the last one. Partitions may be given up in this
        call: `tracker.holds` tells of each ticket whether it is still worth working for.
        """
        self._taken = []
        self._take_records(limit, timeout_seconds, limit_bytes)
        return [taken for taken in self._taken if self.tracker.holds(taken.ticket)]

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is in hand and every position that advanced is stored."""
        return not (self.tracker.unfinished or self.tracker.due() or self._is_committing)

    def held_seconds(self) -> float:
        """Return for how long the oldest unfinished record has been in hand; 0 when there is none."""
        taken_at = self.tracker.first_taken_at()
        return 0.0 if taken_at is None else self._clock() - taken_at

    def age_of(self, ticket: Ticket) -> float:
        """Return for how many seconds that record has been in hand."""
        return self._clock() - ticket.taken_at

    def commit(self) -> bool:
        """Ask Kafka to store the positions that advanced, and return at once whether there were any.

        A later `take` learns the outcome. One that fails is asked for again with the next call. Raises
        TransientError or FatalError.
        """
        due = self.tracker.due()
        if not due or self._is_committing:
            return False
        try:
            self._consumer.commit(offsets=_offsets(due), asynchronous=True)
        except KafkaException as error:
            raise member_failure_of(error) from error
        self._is_committing = True
        return True

    def commit_now(self) -> None:
        """Store the positions that advanced, and wait for it. What cannot be stored now comes again."""
        due = self.tracker.due()
        if not due:
            return
        try:
            with ends_process_after(_STUCK_SECONDS, "commit"):
                self._consumer.commit(offsets=_offsets(due), asynchronous=False)
        except KafkaException as error:
            log.warning("offsets_not_committed", group=self.group, error=str(failure_of(error)))
        else:
            self.tracker.committed(due)

    def rewind(self) -> None:
        # No broker is asked: its answer would wait for the rebalance that made the rewind necessary.
        held = set(self.assignment)
        try:
            for partition, position in self.tracker.unfinished_from().items():
                if partition in held:
                    self._consumer.seek(TopicPartition(*partition, position))
        except KafkaException as error:
            raise failure_of(error) from error
        self.tracker.restart()

    def _config(self) -> dict[str, Any]:
        return super()._config() | {"on_commit": self._on_commit}

    def _took(self, record: InboundRecord) -> None:
        ticket = self.tracker.took(record.topic, record.partition, record.offset, self._clock())
        self._taken.append(TakenRecord(record, ticket))

    def _gave_up(self, partitions: Iterable[Partition], *, is_lost: bool) -> None:
        given_up = list(partitions)
        if not is_lost and self.tracker.concerns(given_up):
            self.before_release()
            self.commit_now()
        self.tracker.drop(given_up)

    def _begin_anew(self) -> None:
        self.tracker.drop_all()
        self._is_committing = False

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._is_committing = False
        stored = {(one.topic, one.partition): one.offset for one in partitions if not (error or one.error)}
        self.tracker.committed(stored)
        if stored:
            self._is_second_client = False
        elif error:
            log.info("offsets_not_committed", group=self.group, error=str(failure_of(error)))


def _offsets(positions: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
