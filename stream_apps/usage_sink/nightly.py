"""Reconcile the books once a day on a thread of the analytics process, and publish by how much they are off."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from connectors.clickhouse.database import Database
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import scanning
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.errors import DragomanError
from schemas.topics import RESULTS
from stream_apps.runtime.repeating import repeating
from stream_apps.usage_sink.reconciliation import Reconciliation, TopicSums, reconcile

log = structlog.get_logger()

BOOKS = ("usage_events", "requests")
ROLLUP = "usage_hourly"
_TAKE_RECORDS = 500
_HOUR_SECONDS = 3600.0
# A little more than a day, so that no answer falls between two windows; the newest may not be inserted yet.
_WINDOW_MS, _SETTLED_MS = 25 * 3_600_000, 5 * 60_000
_FIRST_SECONDS = 600.0


@dataclass(frozen=True)
class BooksCheck:
    """One comparison of the last day. `now_ms`: milliseconds since the epoch."""

    kafka: KafkaSettings
    codec: Codec
    database: Database
    now_ms: Callable[[], int]

    def run(self) -> Reconciliation:
        """Compare, and publish the differences. Blocks while it reads; raises TransientError or FatalError."""
        now = self.now_ms()
        topic = TopicSums(self.codec, now - _WINDOW_MS, now - _SETTLED_MS)
        with scanning(self.kafka, KafkaAdmin(self.kafka).spans([RESULTS], topic.since_ms)) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                topic.add(records)
        found = reconcile(topic, self._ask)
        for books in BOOKS:
            metrics.BOOKS_DIFFERENCE.labels(books).set(found.off(books))
        metrics.BOOKS_DIFFERENCE.labels(ROLLUP).set(found.rollup_hours)
        metrics.BOOKS_RECONCILED.set(time.time())
        level = log.info if found.is_sound else log.error
        level("books_reconciled", requests=found.topic.requests, words=found.topic.words, sound=found.is_sound)
        return found

    def _ask(self, sql: str) -> Sequence[Mapping[str, Any]]:
        answer = self.database.answer(sql, "JSON", {"output_format_json_quote_64bit_integers": 0})
        return list(json.loads(answer)["data"])


@contextmanager
def checking(check: BooksCheck, every_hours: float) -> Iterator[None]:
    """Check every so many hours, and hourly while the books differ; 0: never."""
    if not every_hours:
        yield
        return
    # Books that never come to be reconciled are missed from now on.
    metrics.BOOKS_RECONCILED.set(time.time())

    def turn() -> float:
        return _HOUR_SECONDS * (every_hours if _is_sound(check) else min(1.0, every_hours))

    with repeating("books", turn, min(_FIRST_SECONDS, every_hours * _HOUR_SECONDS)):
        yield


def _is_sound(check: BooksCheck) -> bool:
    try:
        return check.run().is_sound
    except DragomanError as error:
        log.warning("books_not_reconciled", error=str(error))
        return False
