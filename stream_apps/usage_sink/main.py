"""Wire the analytics process: insert what flows through Kafka on the main thread, answer queries on others.

The sink runs in memberships of its consumer group. A failure that may pass ends one membership; after a pause the
next one starts from the committed ranges (ranges.py).
"""

import random
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass

import structlog

from connectors.clickhouse.database import Database
from connectors.kafka.producer import DurableProducer
from connectors.kafka.range_reader import RangeReader
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.static_membership import close_readers
from connectors.redis.client import open_state
from connectors.redis.spending import RedisSpending
from connectors.telemetry import metrics
from schemas.errors import TransientError
from schemas.topics import USAGE
from stream_apps.runtime.dead_letters import DeadLetterWriter, open_dead_letters
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.usage_sink.inserting import Inserter, InsertRetry
from stream_apps.usage_sink.nightly import BooksCheck, checking
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.records import RecordSink
from stream_apps.usage_sink.rows import topics_of
from stream_apps.usage_sink.settings import AnalyticsSection, AnalyticsSettings
from stream_apps.usage_sink.sink import STAGE, Sink, UsageSink
from stream_apps.usage_sink.spending import BudgetMeter, measuring

log = structlog.get_logger()

GROUP = "usage_sink"
# The first pause is what the error itself asks for.
_RETRY = RetryPolicy(first_seconds=0.0)
# A membership that lasted this long makes up for earlier failures.
_STABLE_SECONDS = 120.0


def main() -> None:
    """Run the analytics process until SIGTERM."""
    run_process("analytics", AnalyticsSettings, run)


def run(settings: AnalyticsSettings, process: Process) -> None:
    """Open ClickHouse, answer queries on threads, sink usage on this one."""
    section, kafka = settings.analytics, settings.kafka
    dead_letters = open_dead_letters(STAGE, open_codec(kafka), settings.dead_letters, kafka.max_message_bytes)
    with closing(_open(section)) as database, ExitStack() as opened:
        database.create(section.prices, section.word_prices)
        # Of their own, so that no query holds up the sink.
        readers = [opened.enter_context(closing(_open(section))) for _ in range(section.max_queries)]
        access = Access(section.host, section.port, section.read_token())
        with (
            closing(QueryServer(readers, access, section.query_limits, settings.dashboard)) as queries,
            closing(DurableProducer(kafka)) as producer,
            closing(_open(section)) as asking,
            checking(BooksCheck(kafka, dead_letters.codec, asking, now_ms), section.reconcile_hours),
            measuring(_meter(settings, asking), settings.budgets.measure_seconds),
        ):
            process.health.ready()
            process.started(port=queries.port)
            _run_memberships(_Parts(settings, database, producer, dead_letters, process))


def _meter(settings: AnalyticsSettings, books: Database) -> BudgetMeter | None:
    if not settings.budgets.monthly:
        return None
    return BudgetMeter(settings.budgets, books, RedisSpending(open_state(settings.redis)), now_ms)


def _open(section: AnalyticsSection) -> Database:
    return Database(section.dsn.get_secret_value(), section.cluster)


@dataclass(frozen=True)
class _Parts:
    """What all memberships share."""

    settings: AnalyticsSettings
    database: Database
    producer: DurableProducer
    dead_letters: DeadLetterWriter
    process: Process

    def waits(self, reason: str) -> None:
        """Report that a dependency is down: not ready, but alive, as a restart would not help."""
        self.process.health.beat()
        self.process.health.not_ready(f"waiting: {reason}")


def _run_memberships(parts: _Parts) -> None:
    """Run one membership after the other until a signal, with a pause that doubles after each failure."""
    failures = 0
    while not parts.process.shutdown.is_wanted():
        began = time.monotonic()
        try:
            _run_membership(parts)
        except TransientError as error:
            failures = 1 if time.monotonic() - began > _STABLE_SECONDS else failures + 1
            log.warning("usage_sink_restarts", error=str(error), failures=failures)
            parts.waits(str(error))
            parts.process.shutdown.wait(_RETRY.pause_seconds(failures, random.random(), error.retry_after_seconds))


def _run_membership(parts: _Parts) -> None:
    """Join the group and sink until a signal, then insert what was read. Raises TransientError or FatalError."""
    settings, shutdown = parts.settings, parts.process.shutdown
    fetch_min_bytes = settings.analytics.fetch_min_bytes
    topics = (USAGE, *topics_of(settings.kafka.tenants))
    reader = RangeReader(settings.kafka, GROUP, topics, settings.instance, fetch_min_bytes)
    sink = _sink(parts, reader)
    metrics.SINK_LAG_SECONDS.set_function(lambda: _lag_seconds(sink.usage))
    reader.subscribe(sink.begin, sink.forget)
    try:
        while not shutdown.is_wanted():
            sink.turn()
            parts.process.health.beat()
            parts.process.health.ready()
        sink.drain()
    finally:
        close_readers(settings.kafka, [reader], settings.instance, for_good=shutdown.is_wanted())


def _lag_seconds(sink: UsageSink) -> float:
    oldest_ms = sink.oldest_ms
    return 0.0 if oldest_ms is None else max(now_ms() - oldest_ms, 0) / 1000


def _sink(parts: _Parts, reader: RangeReader) -> Sink:
    section, shutdown = parts.settings.analytics, parts.process.shutdown
    retry = InsertRetry(section.insert_retry_seconds, shutdown.is_wanted, parts.waits, sleep=shutdown.wait)
    inserter = Inserter(parts.database, retry)
    usage = UsageSink(
        commits=reader,
        inserter=inserter,
        dead_letter_producer=parts.producer,
        dead_letters=parts.dead_letters,
        batch_rows=section.batch_rows,
        batch_seconds=section.batch_seconds,
        buffered_rows=section.buffered_rows,
    )
    codec, now_ms = parts.dead_letters.codec, parts.dead_letters.now_ms
    records = RecordSink(reader, inserter, codec, now_ms, section.record_seconds, section.batch_rows)
    return Sink(reader, usage, records)


if __name__ == "__main__":
    main()
