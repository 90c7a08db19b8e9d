"""Run a whole Faust process: check its topics, consume them, show its health, end cleanly on SIGTERM."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from connectors.faust.app import DurableApp, build_app, consume, run_app
from connectors.faust.settings import FaustSettings
from connectors.kafka.admin import KafkaAdmin, open_lag_reader
from connectors.kafka.group_lag import LagReader, PartitionLag
from connectors.kafka.lost_connection import LostConnection, watch_connection
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import DragomanError, FatalError, TransientError
from schemas.records import OutboundRecord, StoredAt
from stream_apps.runtime.consumer_health import ConsumerHealth
from stream_apps.runtime.event_processor import EventHandler, EventProcessor, EventRetry
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.runtime.topic_presence import wait_for_topics
from stream_apps.runtime.turns import Turns

log = structlog.get_logger()

_RETRY_SECONDS = 1.0


OnLags = Callable[[Sequence[PartitionLag]], object]
"""Gets what a group has still to read."""


@dataclass(frozen=True)
class Watch:
    """A group whose lag somebody wants to know."""

    group: str
    topics: Sequence[str]
    on_lags: OnLags


@dataclass(frozen=True)
class OutputStore:
    """Stores outputs. A client that Kafka never answers again ends the process: a fresh one has a new client."""

    producer: DurableProducer
    connection: LostConnection

    async def store(self, records: Sequence[OutboundRecord]) -> Sequence[StoredAt | DragomanError]:
        """Wait until all records are settled. Raises FatalError."""
        outcomes = await self.producer.store(records)
        if any(isinstance(outcome, TransientError) for outcome in outcomes):
            await asyncio.to_thread(self.connection.is_answered)
        return outcomes


@dataclass(frozen=True)
class GroupMember:
    """The consumer group, and the static name of this process within it."""

    group: str
    instance: str


class EventProcess:
    """One Faust application and its producer. Build it, call `consume`, then `run` in the main thread.

    Nothing is read before `run`. Faust ends the process itself, so nothing needs to be closed.
    """

    def __init__(self, member: GroupMember, kafka: KafkaSettings, settings: FaustSettings, health: Health) -> None:
        self.app: DurableApp = build_app(member.group, member.instance, kafka, settings)
        self._group = member.group
        self._kafka = kafka
        self._settings = settings
        self._topics: list[str] = []
        self._health = health
        self._watches: list[Watch] = []
        producer = DurableProducer(kafka)
        self._outputs = OutputStore(producer, watch_connection(kafka, producer.is_reachable))
        self._turns = Turns()
        # A wait is recent while its longest pause and two measurements have not passed.
        recent_seconds = settings.longest_pause_seconds + 2 * settings.lag_interval_seconds
        self._consumer_health = ConsumerHealth(health, recent_seconds)

    def consume(self, topics: Sequence[Sequence[str]], handler: EventHandler) -> None:
        """Give each topic an agent and a buffer of its own, so that no topic delays another. Returns at once.

        The topics are grouped by urgency, the most urgent first: they use the processor in this order, those of a
        group one after the other.
        """
        for rank, equals in enumerate(topics):
            turn = partial(self._turns.turn, rank)
            for topic in equals:
                processor = EventProcessor(handler, self._outputs.store, self._retry(), turn)
                consume(self.app, topic, processor.process)
            self._topics.extend(equals)

    def watch(self, group: str, topics: Sequence[str], on_lags: OnLags) -> None:
        """Tell of another group's lag on these topics, as often as the own one is measured. Returns at once."""
        self._watches.append(Watch(group, topics, on_lags))

    def run(self) -> None:
        """Wait for the topics, then consume them. Blocks until SIGTERM or SIGINT, and raises SystemExit then.

        Raises FatalError when topics are still missing after the start-up time.
        """
        wait_for_topics(KafkaAdmin(self._kafka), self._settings.startup_seconds)
        self.app.task(self._watch_with(open_lag_reader(self._kafka)))
        run_app(self.app)

    def assignment(self) -> set[tuple[str, int]]:
        """Return the (topic, partition) pairs that this process holds."""
        return {(held.topic, held.partition) for held in self.app.consumer.assignment()}

    def _retry(self) -> EventRetry:
        settings = self._settings
        return EventRetry(
            policy=RetryPolicy(settings.first_pause_seconds, settings.longest_pause_seconds),
            send_attempts=settings.send_attempts,
            is_interrupted=lambda: self.app.rebalancing or self.app.should_stop,
            on_waiting=self._consumer_health.waits,
            on_working=self._consumer_health.works,
        )

    def _watch_with(self, lags: LagReader) -> Callable[[], object]:
        async def watch() -> None:
            while not self.app.should_stop:
                await self._measure(lags)
                await asyncio.sleep(_RETRY_SECONDS if self._health.reason else self._settings.lag_interval_seconds)

        return watch

    async def _measure(self, lags: LagReader) -> None:
        try:
            found = await asyncio.to_thread(lags.lag, self._group, self._topics)
            for watch in self._watches:
                watch.on_lags(await asyncio.to_thread(lags.lag, watch.group, watch.topics))
        except TransientError as error:
            self._consumer_health.kafka_unreachable(str(error))
            return
        assigned = self.assignment()
        self._consumer_health.measured(
            found,
            assigned,
            unsettled="rebalancing" if self.app.rebalancing else "",
            obstacle="" if assigned else "no partition is assigned",
        )
        self._check_silence()

    def _check_silence(self) -> None:
        """Raise FatalError where work waits and none was finished for too long: a new process can do it."""
        silent_seconds = self._health.silent_seconds()
        if silent_seconds > self._settings.stalled_seconds:
            raise FatalError(
                f"work waits and none was finished for {silent_seconds:.0f} s; a new process joins the group anew"
            )
