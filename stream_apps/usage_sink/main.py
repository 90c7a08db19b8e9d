"""The analytics process: sinks usage and answers queries. Wiring only."""

import random
import time
from contextlib import closing
from dataclasses import dataclass

import structlog

from connectors.clickhouse.database import Database
from connectors.kafka.producer import DurableProducer
from connectors.kafka.range_reader import RangeReader
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.static_membership import close_readers
from schemas.errors import TransientError
from schemas.topics import USAGE
from stream_apps.runtime.dead_letters import DeadLetterWriter, open_dead_letters
from stream_apps.runtime.process import Process, run_process
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.usage_sink.query_server import QueryLimits, QueryServer
from stream_apps.usage_sink.settings import AnalyticsSettings
from stream_apps.usage_sink.sink import STAGE, InsertRetry, UsageSink

log = structlog.get_logger()

GROUP = "usage_sink"
_RETRY = RetryPolicy(first_seconds=0.0)
_STABLE_SECONDS = 120.0


def main() -> None:
    """Run the analytics process until SIGTERM."""
    run_process("analytics", AnalyticsSettings, run)


def run(settings: AnalyticsSettings, process: Process) -> None:
    """Open ClickHouse, answer queries on threads, sink usage on this one."""
    section, kafka = settings.analytics, settings.kafka
    dead_letters = open_dead_letters(STAGE, open_codec(kafka), settings.dead_letters, kafka.max_message_bytes)
    limits = QueryLimits(section.max_query_seconds, section.max_result_rows, section.max_query_megabytes)
    with closing(Database(section.dsn.get_secret_value())) as database:
        database.create(section.prices)
        with (
            closing(QueryServer(database, section.host, section.port, limits)) as queries,
            closing(DurableProducer(kafka)) as producer,
        ):
            process.health.ready()
            process.started(port=queries.port)
            _sink(_Parts(settings, database, producer, dead_letters, process))


@dataclass(frozen=True)
class _Parts:
    """What every membership is made of."""

    settings: AnalyticsSettings
    database: Database
    producer: DurableProducer
    dead_letters: DeadLetterWriter
    process: Process

    def waits(self, reason: str) -> None:
        """A restart would not bring it back."""
        self.process.health.beat()
        self.process.health.not_ready(f"waiting: {reason}")


def _sink(parts: _Parts) -> None:
    """One membership after the other, until a signal; after a failure with a pause that doubles."""
    failures = 0
    while not parts.process.shutdown.is_wanted():
        began = time.monotonic()
        try:
            _serve_membership(parts)
        except TransientError as error:
            failures = 1 if time.monotonic() - began > _STABLE_SECONDS else failures + 1
            log.warning("usage_sink_restarts", error=str(error), failures=failures)
            parts.waits(str(error))
            parts.process.shutdown.wait(_RETRY.pause_seconds(failures, random.random(), error.retry_after_seconds))


def _serve_membership(parts: _Parts) -> None:
    """Until a signal. Raises TransientError; the next membership starts from the committed notes."""
    section = parts.settings.analytics
    reader = RangeReader(parts.settings.kafka, GROUP, USAGE, parts.settings.instance)
    retry = InsertRetry(
        section.insert_retry_seconds,
        parts.process.shutdown.is_wanted,
        parts.waits,
        sleep=parts.process.shutdown.wait,
    )
    sink = UsageSink(
        reader,
        parts.database,
        parts.producer,
        parts.dead_letters,
        section.batch_rows,
        section.batch_seconds,
        section.buffered_rows,
        retry,
    )
    reader.subscribe(sink.begin, sink.forget)
    try:
        while not parts.process.shutdown.is_wanted():
            sink.turn()
            parts.process.health.beat()
            parts.process.health.ready()
        sink.drain()
    finally:
        settings, for_good = parts.settings, parts.process.shutdown.is_wanted()
        close_readers(settings.kafka, [reader], settings.instance, for_good=for_good)


if __name__ == "__main__":
    main()
