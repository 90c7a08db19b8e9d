"""The analytics process: sinks usage and answers queries. Wiring only."""

import sys
import time

import structlog

from connectors.clickhouse.database import Database
from connectors.clickhouse.query_server import Limits, QueryServer
from connectors.clickhouse.settings import AnalyticsSettings
from connectors.clickhouse.sink import UsageSink
from connectors.kafka.producer import DurableProducer
from connectors.kafka.range_reader import RangeReader
from connectors.kafka.schema_registry import open_codec
from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from schemas.errors import FatalError, TransientError
from schemas.topics import USAGE

log = structlog.get_logger()

GROUP = "usage_sink"
FATAL_EXIT = 70
_PAUSE_SECONDS = 1.0


def main() -> None:
    """Runs until SIGTERM; leaves with 70 on a fatal error, so that a fresh process takes over."""
    settings = AnalyticsSettings()
    configure_logging("analytics", settings.instance, settings.log_level)
    health = Health(settings.analytics.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    database = Database(settings.analytics.dsn.get_secret_value())
    try:
        _run(settings, database, health, Shutdown().install())
    except FatalError as error:
        log.error("analytics_failed", error=str(error))
        sys.exit(FATAL_EXIT)
    finally:
        database.close()
        server.close()


def _run(settings: AnalyticsSettings, database: Database, health: Health, shutdown: Shutdown) -> None:
    section = settings.analytics
    database.create(section.prices)
    limits = Limits(section.max_query_seconds, section.max_result_rows, section.max_query_megabytes)
    queries = QueryServer(database, section.host, section.port, limits)
    letters = DurableProducer(settings.kafka)
    health.ready()
    log.info("analytics_ready", port=queries.port)
    try:
        while not shutdown.is_wanted():
            _serve_membership(settings, database, letters, health, shutdown)
    finally:
        queries.close()
        letters.close()


def _serve_membership(
    settings: AnalyticsSettings, database: Database, letters: DurableProducer, health: Health, shutdown: Shutdown
) -> None:
    """One membership of the group. After a transient error the next one starts from the committed notes."""
    section = settings.analytics
    reader = RangeReader(settings.kafka, GROUP, USAGE, settings.instance)
    codec = open_codec(settings.kafka)
    sink = UsageSink(
        reader, database, letters, codec, section.batch_rows, section.batch_seconds, section.buffered_rows
    )
    reader.subscribe(sink.begin, sink.forget)
    try:
        while not shutdown.is_wanted():
            sink.turn()
            health.beat()
        sink.drain()
    except TransientError as error:
        log.warning("usage_sink_restarts", error=str(error))
        time.sleep(_PAUSE_SECONDS)
    finally:
        reader.close()
