"""The analytics process: sinks usage and answers queries. Wiring only."""

import random
import sys
import time
from contextlib import closing
from dataclasses import dataclass

import structlog

from connectors.clickhouse.database import Database
from connectors.clickhouse.query_server import QueryLimits, QueryServer
from connectors.clickhouse.settings import AnalyticsSettings
from connectors.clickhouse.sink import STAGE, InsertRetry, UsageSink
from connectors.dead_letters.writer import DeadLetterWriter, open_dead_letters
from connectors.kafka.cycle import pause_seconds
from connectors.kafka.leaving import close_readers
from connectors.kafka.producer import DurableProducer
from connectors.kafka.range_reader import RangeReader
from connectors.kafka.schema_registry import open_codec
from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from schemas.errors import DragomanError, TransientError
from schemas.topics import USAGE

log = structlog.get_logger()

GROUP = "usage_sink"
FATAL_EXIT = 70
_STABLE_SECONDS = 120.0


def main() -> None:
    """Runs until SIGTERM; leaves with 70 on an error that no pause cures, so that a fresh process takes over."""
    settings = AnalyticsSettings()
    configure_logging("analytics", settings.instance, settings.log_level)
    health = Health(settings.analytics.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    try:
        with closing(Database(settings.analytics.dsn.get_secret_value())) as database:
            _run(settings, database, health, Shutdown().install())
    except DragomanError as error:
        log.error("analytics_failed", error=str(error))
        sys.exit(FATAL_EXIT)
    finally:
        server.close()


def _run(settings: AnalyticsSettings, database: Database, health: Health, shutdown: Shutdown) -> None:
    section = settings.analytics
    database.create(section.prices)
    limits = QueryLimits(section.max_query_seconds, section.max_result_rows, section.max_query_megabytes)
    queries = QueryServer(database, section.host, section.port, limits)
    codec, most_bytes = open_codec(settings.kafka), settings.kafka.max_message_bytes
    letters = open_dead_letters(STAGE, codec, settings.dead_letters, most_bytes)
    box = DurableProducer(settings.kafka)
    health.ready()
    log.info("analytics_ready", port=queries.port)
    try:
        _sink(_Parts(settings, database, box, letters, health, shutdown))
        log.info("analytics_stopped")
    finally:
        queries.close()
        box.close()


@dataclass(frozen=True)
class _Parts:
    """What every membership is made of."""

    settings: AnalyticsSettings
    database: Database
    box: DurableProducer
    letters: DeadLetterWriter
    health: Health
    shutdown: Shutdown

    def waits(self, reason: str) -> None:
        """A restart would not bring it back."""
        self.health.beat()
        self.health.not_ready(f"waiting: {reason}")


def _sink(parts: _Parts) -> None:
    """One membership after the other, until a signal; after a failure with a pause that doubles."""
    failures = 0
    while not parts.shutdown.is_wanted():
        began = time.monotonic()
        try:
            _serve_membership(parts)
        except TransientError as error:
            failures = 1 if time.monotonic() - began > _STABLE_SECONDS else failures + 1
            log.warning("usage_sink_restarts", error=str(error), failures=failures)
            parts.waits(str(error))
            parts.shutdown.wait(pause_seconds(error.retry_after_seconds, failures, random.random()))


def _serve_membership(parts: _Parts) -> None:
    """Until a signal. Raises TransientError; the next membership starts from the committed notes."""
    section = parts.settings.analytics
    reader = RangeReader(parts.settings.kafka, GROUP, USAGE, parts.settings.instance)
    patience = InsertRetry(section.patience_seconds, parts.shutdown.is_wanted, parts.waits, sleep=parts.shutdown.wait)
    sink = UsageSink(
        reader,
        parts.database,
        parts.box,
        parts.letters,
        section.batch_rows,
        section.batch_seconds,
        section.buffered_rows,
        patience,
    )
    reader.subscribe(sink.begin, sink.forget)
    try:
        while not parts.shutdown.is_wanted():
            sink.turn()
            parts.health.beat()
            parts.health.ready()
        sink.drain()
    finally:
        settings, for_good = parts.settings, parts.shutdown.is_wanted()
        close_readers(settings.kafka, [reader], settings.instance, for_good=for_good)
