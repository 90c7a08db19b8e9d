"""A busy hour of yesterday in the books: what the contract suites, the report and the dashboards ask about."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.clickhouse.database import Database
from schemas.codec import Codec
from schemas.events import OperationEvent, UsageEvent
from schemas.ids import event_id
from schemas.messages import Message, TranslationResult
from schemas.records import InboundRecord
from schemas.states import OperationKind, ResultStatus, UsageKind
from schemas.topics import OPERATIONS, RESULTS
from stream_apps.usage_sink.inserting import Inserter
from stream_apps.usage_sink.records import RecordSink
from stream_apps.usage_sink.rows.usage import row_of

HOUR_MS = 3_600_000
# A full hour of yesterday.
AT = (round(datetime.now(UTC).timestamp() * 1000) // (24 * HOUR_MS) - 1) * 24 * HOUR_MS + 9 * HOUR_MS
CODEC = Codec()
PRICES = {"t4/spot": 0.36, "t4/on_demand": 0.72}
WORD_PRICES = {"high": 20.0, "acme/high": 10.0}


class Books:
    """A database of the test's own with one busy hour in it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._inserter = Inserter(database)
        self._sink = RecordSink(_Nowhere(), self._inserter, CODEC, lambda: AT + 24 * HOUR_MS)
        self._count = 0

    def used(self, **fields: Any) -> None:
        self._count += 1
        usual: dict[str, Any] = {
            "kind": UsageKind.BILLED, "tenant": "acme", "priority": "high", "source_language": "en",
            "target_language": "pt", "model": "m", "device": "t4", "market": "spot", "at": AT,
        }  # fmt: skip
        event = UsageEvent(**usual | {"event_id": event_id("books", self._count), **fields})
        row = row_of(event, InboundRecord("u", 0, self._count, None, b""))
        self._inserter.insert("usage_events", [row], str(self._count))

    def told(self, topic: str, message: Message | None, key: bytes = b"k") -> None:
        self._count += 1
        value = CODEC.encode(message) if message else None
        self._sink.accept([InboundRecord(topic, 0, self._count, key, value, {}, AT)])
        self._sink.drain()

    def rows(self, sql: str) -> list[Any]:
        return [tuple(row) for row in self.database.rows(sql)]


class _Nowhere:
    def finish(self, lasts: Any) -> None:
        """Nobody reads these again."""


@contextmanager
def open_books(folder: Path) -> Iterator[Books]:
    """Open a database of its own with that hour in it."""
    with closing(Database(f"chdb://{folder}")) as database:
        database.create(PRICES, WORD_PRICES)
        books = Books(database)
        write_busy_hour(books)
        yield books


def write_busy_hour(books: Books) -> None:
    """Write what two tenants used and what two workers did."""
    # Acme: 1,000,000 words, of which the memory knew 400,000; 1,800 s of a spot T4.
    busy = 1_800_000.0
    books.used(
        request_id="r1",
        source_words=1_000_000,
        cached_words=400_000,
        busy_ms=busy,
        labels={"team": "a", "app": "x"},
    )
    books.used(kind=UsageKind.COMPUTE, source_words=1_000_000, cached_words=400_000, busy_ms=busy, worker="w1")
    # Globex pays the general price; 900 s more were spent for a batch that came twice.
    books.used(tenant="globex", request_id="r1", source_words=500_000, busy_ms=900_000.0, labels={"team": "b"})
    for _ in range(2):
        books.used(kind=UsageKind.COMPUTE, tenant="globex", source_words=500_000, busy_ms=900_000.0, worker="w2")
    for tenant, words, seconds, version in (("acme", 1_000_000, 25.0, 1), ("globex", 500_000, 130.0, 1)):
        books.told(RESULTS, answer(tenant, "r1", words, seconds, version))
    for worker, state, since, until in (
        ("w1", "starting", 0, 60_000), ("w1", "ready", 60_000, 120_000), ("w1", "ready", 60_000, HOUR_MS),
        ("w2", "ready", 0, HOUR_MS), ("w2", "draining", HOUR_MS, HOUR_MS + 36_000),
    ):  # fmt: skip
        books.told(OPERATIONS, presence(worker, state, since, until))


def answer(
    tenant: str, request_id: str, words: int, seconds: float, version: int = 1, **more: Any
) -> TranslationResult:
    return TranslationResult(
        tenant=tenant, request_id=request_id, version=version, priority="high", source_words=words,
        completed_at=AT, timings={"total": seconds}, **{"status": ResultStatus.COMPLETED, **more},
    )  # fmt: skip


def presence(worker: str, state: str, since: int, until: int) -> OperationEvent:
    return OperationEvent(
        event_id=f"{worker}{state}{until}", kind=OperationKind.WORKER, actor=worker, device="t4", market="spot",
        state=state, since=AT + since, at=AT + until,
    )  # fmt: skip
