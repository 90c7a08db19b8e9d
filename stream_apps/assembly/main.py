"""Wires an assembler: settings -> Kafka, Redis, object store -> the cycle."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from connectors.dead_letters.writer import open_dead_letters
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.cycle import TransactionalProcessor
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.leaving import close_readers
from connectors.kafka.log_scan import LogScan
from connectors.kafka.progress_watch import ConsumerHealthMonitor
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.transactions import TransactionalProducer
from connectors.redis.client import open_state
from connectors.redis.results import ResultStore
from connectors.redis.slots import RedisSlots
from connectors.redis.state_epoch import StateEpoch
from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from schemas import topics
from schemas.errors import DragomanError
from schemas.records import InboundRecord
from stream_apps.assembly.handler import STAGE, AssemblyHandler
from stream_apps.assembly.recovery import Reach, Rebuilder, Recovery
from stream_apps.assembly.settings import AssemblyLimits, AssemblySettings
from stream_apps.assembly.texts import open_texts

log = structlog.get_logger()

GROUP = topics.ASSEMBLY_GROUP


@dataclass
class AssemblySource:
    """Batches and orders as they come: one group, so that both are in one transaction."""

    readers: Sequence[GroupReader]
    limits: AssemblyLimits
    recovery: Recovery

    def take(self) -> list[InboundRecord]:
        """The records of one cycle. Raises TransientError while the state is not known to be whole."""
        limits = self.limits
        # First, because Kafka takes a member for dead that rebuilds for minutes without asking for records.
        records = self.readers[0].take(limits.cycle_records, limits.idle_wait_seconds, limits.cycle_bytes)
        self.recovery.ensure(is_idle=not records)
        return records


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
    watch = ConsumerHealthMonitor(settings.kafka, [reader], health)
    try:
        cycle = _cycle(settings, reader, watch, shutdown)
        reader.subscribe()
        watch.start()
        log.info("started", health_port=server.port)
        cycle.run()
        log.info("stopped")
    finally:
        watch.stop()
        close_readers(settings.kafka, [reader], settings.instance, for_good=shutdown.is_wanted())
        server.close()


def _cycle(settings: AssemblySettings, reader: GroupReader, watch: ConsumerHealthMonitor, shutdown: Shutdown) -> TransactionalProcessor:
    epoch = StateEpoch(open_state(settings.redis), _now_ms)
    handler = _handler(settings, epoch)
    return TransactionalProcessor(
        stage=STAGE,
        source=AssemblySource([reader], settings.assembly, _recovery(settings, epoch, handler)),
        handler=handler,
        # Starting it also aborts what a killed predecessor left open.
        producer=TransactionalProducer(settings.kafka, f"{STAGE}-{settings.instance}"),
        should_stop=shutdown.is_wanted,
        sleep=shutdown.wait,
        on_waiting=watch.waits,
        on_working=watch.works,
        confirm=handler.confirm,
    )


def _recovery(settings: AssemblySettings, epoch: StateEpoch, handler: AssemblyHandler) -> Recovery:
    limits, admin = settings.assembly, KafkaAdmin(settings.kafka)
    reach = Reach(settings.redis.done_ttl_seconds * 1000, limits.rebuild_margin_ms)
    rebuilder = Rebuilder(
        slots=handler.slots,
        results=handler.results,
        codec=handler.codec,
        show_after_ms=lambda: _now_ms() - limits.result_ttl_seconds * 1000,
    )

    def open_log(since_ms: int, reached: Mapping[int, int]) -> LogScan:
        spans = admin.spans([topics.RESULTS], since_ms)
        return LogScan(settings.kafka, [span.without(reached.get(span.partition, 0)) for span in spans])

    return Recovery(
        epoch=epoch,
        open_log=open_log,
        rebuilder=rebuilder,
        reach=reach,
        slice_seconds=limits.rebuild_slice_seconds,
        now_ms=_now_ms,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _handler(settings: AssemblySettings, epoch: StateEpoch) -> AssemblyHandler:
    state = open_state(settings.redis)
    texts, inline_limit_bytes = open_texts(settings)
    codec = open_codec(settings.kafka)
    return AssemblyHandler(
        codec=codec,
        slots=RedisSlots(state, settings.retention, epoch),
        results=ResultStore(state, settings.assembly.result_ttl_seconds),
        texts=texts,
        inline_limit_bytes=inline_limit_bytes,
        slots_bytes=settings.assembly.cycle_bytes,
        now_ms=_now_ms,
        letters=open_dead_letters(STAGE, codec, settings.dead_letters, settings.kafka.max_message_bytes),
        max_message_bytes=settings.kafka.max_message_bytes,
    )
