"""Compares requests with results and sends again what has no answer: same id, same bytes, same topic.

What is still on its way is left alone, because it would be translated twice for nothing. In doubt a request is
sent again: too much is harmless, for assembly answers each revision of a request once, whatever arrives how often
(connectors/redis/slots.py); too little is not, for nobody else looks for a request that has no record under way.

The order of the reads matters. First how far each group has come, along the way of a request: what moves on
meanwhile is then seen at the next stage. Then what was refused, the requests, and last the results, up to an end
measured after all that: an answer that was committed before the groups were asked is not missed.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from connectors.kafka.admin import KafkaAdmin, Span
from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.log_scan import scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import InboundRecord, OutboundRecord, redrive_header
from schemas.topics import (
    ASSEMBLY_GROUP,
    CONTROL,
    DEAD_LETTERS,
    INTAKE_GROUP,
    RESULTS,
    TRANSLATED,
    batches_topic,
    inference_group,
    requests_topic,
)
from stream_apps.repair.low_watermark import Watermarks, low_watermarks
from stream_apps.repair.open_requests import LOST, LossPolicy, OpenRequests, RecordLocation

log = structlog.get_logger()

REQUEST_TOPICS = [requests_topic(priority) for priority in Priority]
# Intake can say nothing to whom it cannot name, and the other request of a reused id has the answer.
_WITHOUT_ANSWER = frozenset({"undecodable", "bad_request_id", "id_reused"})
# Clocks of clients may be ahead; then a result is older than its request.
_CLOCK_SKEW_MS = 5 * 60_000
_TAKE_RECORDS, _TAKE_SECONDS, _HEADS_SECONDS = 2_000, 0.5, 30.0

OnReadProgress = Callable[[str, float], None]
"""Told what is being read, and how much of it was (0 to 1)."""


@dataclass(frozen=True)
class ReconcileLimits:
    """`most_ids`: of requests that are held in memory at a time; more of them are compared in several passes."""

    loss_policy: LossPolicy
    most_ids: int


@dataclass(frozen=True)
class ReconcileReport:
    """Numbers of requests, each revision on its own; `oldest_open_ms` of those that are lost or on their way."""

    answered: int = 0
    on_their_way: int = 0
    lost: int = 0
    redriven: int = 0
    given_up: int = 0
    unanswerable: int = 0
    oldest_open_ms: int | None = None


@dataclass(frozen=True)
class Reconciler:
    """Reads Kafka alone. `now_ms`: milliseconds since the epoch. Raises TransientError or FatalError."""

    kafka: KafkaSettings
    admin: KafkaAdmin
    producer: DurableProducer
    codec: Codec
    limits: ReconcileLimits
    now_ms: Callable[[], int]

    def reconcile(
        self, since_ms: int, on_progress: OnReadProgress, *, is_dry_run: bool = False
    ) -> ReconcileReport:
        """Everything that Kafka stored since then. A dry run sends nothing."""
        reached = self._watermarks()
        refused = self._refused(since_ms)
        spans = self.admin.spans(REQUEST_TOPICS, since_ms)
        parts = max(math.ceil(sum(span.length for span in spans) / self.limits.most_ids), 1)
        tally = _Tally()
        for part in range(parts):
            found = OpenRequests(self.codec, refused, part, parts)
            self._compare(found, spans, since_ms, on_progress)
            tally.add(found, reached, self.limits.loss_policy)
        redriven = 0 if is_dry_run else self._redrive(tally.lost, spans, on_progress)
        return replace(tally.report(), redriven=redriven)

    def _watermarks(self) -> Watermarks:
        now_ms, kafka = self.now_ms(), self.kafka
        lags = [*self.admin.lag(INTAKE_GROUP, REQUEST_TOPICS)]
        for pool in kafka.pools:
            for priority in Priority:
                lags += self.admin.lag(inference_group(pool, priority), [batches_topic(pool, priority)])
        lags += self.admin.lag(ASSEMBLY_GROUP, [TRANSLATED, CONTROL])
        return low_watermarks(self._heads(lags), self.codec, kafka.pools, now_ms)

    def _heads(self, lags: Sequence[PartitionLag]) -> list[InboundRecord]:
        """The first record of each partition that its group has not committed."""
        waiting = [Span(lag.topic, lag.partition, max(lag.committed, 0), lag.end) for lag in lags if lag.records]
        heads: dict[tuple[str, int], InboundRecord] = {}
        end_ms = self.now_ms() + _HEADS_SECONDS * 1000
        with scanning(self.kafka, waiting) as scan:
            while not scan.is_done:
                for record in scan.take(_TAKE_RECORDS, _TAKE_SECONDS):
                    heads.setdefault((record.topic, record.partition), record)
                    scan.drop(record.topic, record.partition)
                if self.now_ms() > end_ms:
                    raise TransientError(f"no record to be seen in {_HEADS_SECONDS:g} s where some are waiting")
        return list(heads.values())

    def _refused(self, since_ms: int) -> set[RecordLocation]:
        places = set()
        for record in self._read(self.admin.spans([DEAD_LETTERS], since_ms), "refused", lambda *_: None):
            try:
                dead_letter = self.codec.decode(record.value, DeadLetter)
            except PermanentError:
                continue
            if dead_letter.stage == INTAKE_GROUP and dead_letter.cause in _WITHOUT_ANSWER:
                places.add((dead_letter.topic, dead_letter.partition, dead_letter.offset))
        return places

    def _compare(
        self, found: OpenRequests, spans: Sequence[Span], since_ms: int, on_progress: OnReadProgress
    ) -> None:
        for record in self._read(spans, "requests", on_progress):
            found.sent(record)
        results = self.admin.spans([RESULTS], since_ms - _CLOCK_SKEW_MS)
        for record in self._read(results, "results", on_progress):
            found.answered(record)

    def _redrive(self, lost: dict[RecordLocation, int], spans: Sequence[Span], on_progress: OnReadProgress) -> int:
        """Reads the texts a second time: they were too large to be kept."""
        if not lost:
            return 0
        with scanning(self.kafka, _around(lost, spans)) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                again = [
                    self._again(record, lost[place])
                    for record in records
                    if (place := (record.topic, record.partition, record.offset)) in lost
                ]
                self.producer.send(again)
                on_progress("redrive", scan.share)
        log.info("requests_redriven", requests=len(lost))
        return len(lost)

    def _again(self, record: InboundRecord, revision: int) -> OutboundRecord:
        key = record.key or self.codec.decode(record.value, TranslationRequest).request_id.encode()
        headers = {**record.headers, **redrive_header(revision)}
        return OutboundRecord(record.topic, key, record.value or b"", headers)

    def _read(self, spans: Sequence[Span], name: str, on_progress: OnReadProgress) -> Iterator[InboundRecord]:
        with scanning(self.kafka, spans) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                yield from records
                on_progress(name, scan.share)


@dataclass
class _Tally:
    """Adds the passes up."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: dict[RecordLocation, int] = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)

    def add(self, found: OpenRequests, reached: Watermarks, loss_policy: LossPolicy) -> None:
        self.counts += found.counts
        for request, fate in found.judged(reached, loss_policy):
            self.counts[fate] += 1
            if fate == LOST:
                self.lost[request.place] = request.revision
            if fate != "given_up":
                self.moments = [min([request.at_ms, *self.moments])]

    def report(self) -> ReconcileReport:
        return ReconcileReport(**self.counts, oldest_open_ms=self.moments[0] if self.moments else None)


def _around(lost: dict[RecordLocation, int], spans: Sequence[Span]) -> list[Span]:
    """The parts of the spans that hold something lost."""
    offsets: dict[tuple[str, int], list[int]] = {}
    for topic, partition, offset in lost:
        offsets.setdefault((topic, partition), []).append(offset)
    return [
        Span(span.topic, span.partition, min(found), max(found) + 1)
        for span in spans
        if (found := offsets.get((span.topic, span.partition)))
    ]
