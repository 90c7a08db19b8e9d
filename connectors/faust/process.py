"""A whole Faust process: checks its topics, consumes, shows its health, ends cleanly on SIGTERM."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
import uvloop
from faust.worker import Worker

from connectors.faust.application import DurableApp, build_app
from connectors.faust.consumption import consume
from connectors.faust.guard import EventProcessor, Patience, EventHandler
from connectors.faust.records import send_durably
from connectors.faust.settings import FaustSettings
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.backlog import LagReader, open_lag_reader
from connectors.kafka.progress import Place, ConsumerHealth
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord

log = structlog.get_logger()

_RETRY_SECONDS = 1.0


class TopicSource(Protocol):
    """Kafka's word on the topics (connectors.kafka.admin.KafkaAdmin)."""

    def check_topics(self) -> list[str]:
        """One line for every difference from the catalogue. Raises TransientError when Kafka is away."""


@dataclass(frozen=True)
class GroupMember:
    """The consumer group, and this process's static name within it."""

    group: str
    instance: str


class FaustProcess:
    """Build it, `consume`, then `run` in the main thread. Connects in `run` only."""

    def __init__(
        self, identity: GroupMember, kafka: KafkaSettings, settings: FaustSettings, health: Health | None = None
    ) -> None:
        self.health = health or Health(settings.silence_seconds)
        self.app: DurableApp = build_app(identity.group, identity.instance, kafka, settings)
        self._group = identity.group
        self._kafka = kafka
        self._settings = settings
        self._topics: list[str] = []
        # A wait is recent while its longest pause and two measurements have not passed.
        recent_seconds = settings.longest_pause_seconds + 2 * settings.lag_interval_seconds
        self._progress = ConsumerHealth(self.health, recent_seconds)

    def consume(self, topics: Sequence[str], step: EventHandler) -> None:
        """One agent and one buffer for each topic."""
        for topic in topics:
            guard = EventProcessor(step, self._send, self._patience(), self._settings.unsent_bytes)
            consume(self.app, topic, guard, self._settings)
        self._topics.extend(topics)

    def run(self) -> None:
        """Until SIGTERM or SIGINT; raises SystemExit. Raises FatalError when topics are missing."""
        uvloop.install()
        wait_for_topics(KafkaAdmin(self._kafka), self._settings.startup_seconds)
        self.app.task(self._watch_with(open_lag_reader(self._kafka)))
        worker = Worker(
            self.app, quiet=True, loglevel="info", override_logging=False, redirect_stdouts=False, debug=False
        )
        # Its log handler would put the root logger on DEBUG, which halves the speed.
        worker.spinner = None
        worker.execute_from_commandline()

    def assignment(self) -> set[Place]:
        """The partitions that this process holds."""
        return {(tp.topic, tp.partition) for tp in self.app.consumer.assignment()}

    async def _send(self, record: OutboundRecord) -> None:
        await send_durably(await self.app.maybe_start_producer(), record)

    def _patience(self) -> Patience:
        return Patience(
            first_pause_seconds=self._settings.first_pause_seconds,
            longest_pause_seconds=self._settings.longest_pause_seconds,
            send_attempts=self._settings.send_attempts,
            is_interrupted=lambda: self.app.rebalancing or self.app.should_stop,
            on_waiting=self._progress.waits,
            on_working=self._progress.works,
        )

    def _watch_with(self, backlog: LagReader) -> Callable[[], object]:
        async def watch() -> None:
            while not self.app.should_stop:
                await self._measure(backlog)
                await asyncio.sleep(
                    self._settings.lag_interval_seconds if not self.health.reason else _RETRY_SECONDS
                )

        return watch

    async def _measure(self, backlog: LagReader) -> None:
        try:
            lags = await asyncio.to_thread(backlog.lag, self._group, self._topics)
        except TransientError as error:
            self._progress.kafka_is_away(str(error))
            return
        assigned = self.assignment()
        self._progress.look(
            lags,
            assigned,
            unsettled="rebalancing" if self.app.rebalancing else "",
            obstacle="" if assigned else "no partition is assigned",
        )


def wait_for_topics(
    admin: TopicSource, startup_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Faust stays blind to a topic that appears later. Raises FatalError when they are not there in time."""
    waited = 0.0
    while problems := _topic_problems(admin):
        if waited >= startup_seconds:
            raise FatalError(f"topics are not as the catalogue says: {'; '.join(problems)}")
        log.warning("topics_missing", problems=problems)
        sleep(_RETRY_SECONDS)
        waited += _RETRY_SECONDS


def _topic_problems(admin: TopicSource) -> list[str]:
    try:
        return admin.check_topics()
    except TransientError as error:
        return [str(error)]
