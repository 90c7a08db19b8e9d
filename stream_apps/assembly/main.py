"""Wires an assembler: settings -> Kafka, Redis, object store -> the cycle."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from connectors.dead_letters.writer import open_letters
from connectors.kafka.cycle import Cycle
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.progress_watch import ProgressWatch
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.transactions import TransactionalProducer
from connectors.redis.client import open_state
from connectors.redis.results import ResultStore
from connectors.redis.slots import RedisSlots
from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from schemas import topics
from schemas.errors import DragomanError
from schemas.records import InboundRecord
from stream_apps.assembly.handler import STAGE, AssemblyHandler
from stream_apps.assembly.settings import AssemblyLimits, AssemblySettings
from stream_apps.assembly.texts import open_texts

log = structlog.get_logger()

GROUP = "assembly"


@dataclass
class AssemblySource:
    """Batches and orders as they come: one group, so that both are in one transaction."""

    readers: Sequence[GroupReader]
    limits: AssemblyLimits

    def take(self) -> list[InboundRecord]:
        """The records of one cycle."""
        limits = self.limits
        return self.readers[0].take(limits.cycle_records, limits.idle_wait_seconds, limits.cycle_bytes)


def main() -> None:
    """Exit code 1 after a failure that a fresh process may survive."""
    settings = AssemblySettings()
    configure_logging(STAGE, settings.instance, settings.log_level)
    shutdown = Shutdown().install()
    try:
        run(settings, shutdown)
    except DragomanError as error:
        log.critical("fatal", error=str(error))
        raise SystemExit(1) from error


def run(settings: AssemblySettings, shutdown: Shutdown) -> None:
    """Until a signal. Raises FatalError, or TransientError when Kafka is away at the start."""
    health = Health(settings.assembly.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    reader = GroupReader(settings.kafka, GROUP, [topics.TRANSLATED, topics.CONTROL], settings.instance)
    watch = ProgressWatch(settings.kafka, [reader], health)
    try:
        cycle = _cycle(settings, reader, watch, shutdown)
        reader.subscribe()
        watch.start()
        log.info("started", health_port=server.port)
        cycle.run()
        log.info("stopped")
    finally:
        watch.stop()
        reader.close()
        server.close()


def _cycle(settings: AssemblySettings, reader: GroupReader, watch: ProgressWatch, shutdown: Shutdown) -> Cycle:
    return Cycle(
        source=AssemblySource([reader], settings.assembly),
        handler=_handler(settings),
        # Starting it also aborts what a killed predecessor left open.
        producer=TransactionalProducer(settings.kafka, f"{STAGE}-{settings.instance}"),
        should_stop=shutdown.is_wanted,
        sleep=shutdown.wait,
        on_waiting=watch.waits,
    )


def _handler(settings: AssemblySettings) -> AssemblyHandler:
    state = open_state(settings.redis)
    texts, inline_limit_bytes = open_texts(settings)
    codec = open_codec(settings.kafka)
    return AssemblyHandler(
        codec=codec,
        slots=RedisSlots(state, settings.retention),
        results=ResultStore(state, settings.assembly.result_ttl_seconds),
        texts=texts,
        inline_limit_bytes=inline_limit_bytes,
        slots_bytes=settings.assembly.cycle_bytes,
        now_ms=lambda: round(time.time() * 1000),
        letters=open_letters(STAGE, codec, settings.dead_letters, settings.kafka.max_message_bytes),
        max_message_bytes=settings.kafka.max_message_bytes,
    )
