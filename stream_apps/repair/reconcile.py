"""Compare requests with results, and send again what has no answer: same id, same bytes, same topic.

A request that is still in flight is left alone, because sending it again would cost a second translation. In doubt
a request is sent again. Too much is harmless: assembly answers each revision of a request once, whatever arrives
how often (connectors/redis/slots.py): only what was sent again before, was worked off and has no result all the
same is reopened. Too little is not: nothing else looks for a request that has no record in
flight.

The steps, and why their order matters:

1. Read the committed offsets of each group, in the order in which a request meets them: what moves on meanwhile
   is seen at the next stage. The oldest uncommitted request is the low watermark.
2. Read what intake refused without an answer.
3. Read the requests, then the results, up to an end measured after step 1: an answer that was committed before the
   groups were asked is not missed.
4. Read the texts of the lost requests again, reopen those that were sent again in vain, and send all.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.partition_reader import Span, scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.ids import JobKey
from schemas.own_topics import WRONG_TENANT, request_of
from schemas.priorities import Priority
from schemas.records import InboundRecord, OutboundRecord, redrive_header
from schemas.slots import RequestRevision
from schemas.topics import (
    ASSEMBLY_GROUP,
    DEAD_LETTERS,
    INTAKE_GROUP,
    MERGING_GROUP,
    RESULTS,
    TRANSLATED_DOCUMENTS,
    all_request_topics,
    assembly_topics,
    documents_topic,
    extraction_group,
    inference_groups,
)
from stream_apps.repair.low_watermark import Watermarks, low_watermarks
from stream_apps.repair.open_requests import GIVEN_UP, LOST, LossPolicy, OpenRequest, OpenRequests, RecordLocation

log = structlog.get_logger()

# Causes for which intake writes no result: without an id there is nobody to answer, and of a reused id the other
# request has the answer.
_WITHOUT_ANSWER = frozenset({"undecodable", "bad_tenant", "bad_request_id", "id_reused", WRONG_TENANT})
# A client's clock may be ahead of the broker's; then a result looks older than its request.
CLOCK_SKEW_MS = 5 * 60_000
_TAKE_RECORDS, _TAKE_SECONDS, _FIRST_RECORDS_SECONDS = 2_000, 0.5, 30.0

OnReadProgress = Callable[[str, float], None]
"""Gets the name of the part that is being read, and its share read so far (0 to 1)."""


@dataclass(frozen=True)
class ReconcileLimits:
    """`most_ids`: how many requests are held in memory at once; more of them are compared in several passes."""

    loss_policy: LossPolicy
    most_ids: int


@dataclass(frozen=True)
class ReconcileReport:
    """Numbers of requests, where each revision counts as one.

    `oldest_open_ms`: when Kafka stored the oldest request that is lost or on its way; None if there is none.
    """

    answered: int = 0
    on_their_way: int = 0
    lost: int = 0
    redriven: int = 0
    given_up: int = 0
    unanswerable: int = 0
    oldest_open_ms: int | None = None


Reopen = Callable[[Sequence[RequestRevision]], None]
"""Forgets who answered these requests (connectors.redis.slots.reopen). Raises TransientError."""


@dataclass(frozen=True)
class Reconciler:
    """Compares from Kafka alone, without Redis. `now_ms`: milliseconds since the epoch.

    A request that was sent again, was worked off and still has no result is reopened before it is sent once more:
    its marker says that it is answered, but the answer was in a transaction that Kafka forgot and `repair` aborted
    (hanging.py).

    Not thread-safe. Every call blocks while it reads, and raises TransientError or FatalError.
    """

    kafka: KafkaSettings
    admin: KafkaAdmin
    producer: DurableProducer
    codec: Codec
    limits: ReconcileLimits
    now_ms: Callable[[], int]
    reopen: Reopen = lambda _requests: None

    def reconcile(
        self, since_ms: int, on_progress: OnReadProgress, *, is_dry_run: bool = False
    ) -> ReconcileReport:
        """Compare everything that Kafka stored since then, send again what is lost, and return the numbers.

        A dry run sends nothing. An error of `on_progress` ends the comparison.
        """
        watermarks = self.watermarks()
        refused = self.refused(self.admin.spans([DEAD_LETTERS], since_ms))
        spans = self.admin.spans(self.request_topics, since_ms)
        parts = max(math.ceil(sum(span.length for span in spans) / self.limits.most_ids), 1)
        tally = Tally()
        for part in range(parts):
            found = OpenRequests(self.codec, refused, part, parts)
            self._compare(found, spans, since_ms, on_progress)
            tally.add(found, watermarks, self.limits.loss_policy)
        redriven = 0 if is_dry_run else self.redrive(tally.lost, on_progress)
        return replace(tally.report(), redriven=redriven)

    @property
    def request_topics(self) -> list[str]:
        """Return the topics that requests come by."""
        return all_request_topics(self.kafka.tenants)

    def watermarks(self) -> Watermarks:
        """Read how far each group is, and return the accept time of the oldest request that is on its way."""
        now_ms, kafka = self.now_ms(), self.kafka
        lags = [*self.admin.lag(INTAKE_GROUP, self.request_topics)]
        for pool in kafka.pools:
            for group, topics in inference_groups(pool).items():
                lags += self.admin.lag(group, topics)
        for priority in Priority:
            lags += self.admin.lag(extraction_group(priority), [documents_topic(priority)])
        lags += self.admin.lag(ASSEMBLY_GROUP, assembly_topics(kafka.tenants))
        lags += self.admin.lag(MERGING_GROUP, [TRANSLATED_DOCUMENTS])
        return low_watermarks(self._first_uncommitted(lags), self.codec, kafka.plan, now_ms)

    def _first_uncommitted(self, lags: Sequence[PartitionLag]) -> list[InboundRecord]:
        """Return the first record of each partition that its group has not committed."""
        spans = [Span(lag.topic, lag.partition, max(lag.committed, 0), lag.end) for lag in lags if lag.records]
        firsts: dict[tuple[str, int], InboundRecord] = {}
        end_ms = self.now_ms() + _FIRST_RECORDS_SECONDS * 1000
        with scanning(self.kafka, spans) as scan:
            while not scan.is_done:
                for record in scan.take(_TAKE_RECORDS, _TAKE_SECONDS):
                    firsts.setdefault((record.topic, record.partition), record)
                    scan.drop(record.topic, record.partition)
                if self.now_ms() > end_ms:
                    raise TransientError(
                        f"no record to be seen in {_FIRST_RECORDS_SECONDS:g} s where some are waiting"
                    )
        return list(firsts.values())

    def refused(self, spans: Sequence[Span]) -> set[RecordLocation]:
        """Return the requests of which these dead letters say that intake refused them without an answer."""
        locations = set()
        for record in self.read(spans, "refused", lambda *_: None):
            try:
                dead_letter = self.codec.decode(record.value, DeadLetter)
            except PermanentError:
                continue
            if dead_letter.stage == INTAKE_GROUP and dead_letter.cause in _WITHOUT_ANSWER:
                locations.add(RecordLocation(dead_letter.topic, dead_letter.partition, dead_letter.offset))
        return locations

    def _compare(
        self, found: OpenRequests, spans: Sequence[Span], since_ms: int, on_progress: OnReadProgress
    ) -> None:
        for record in self.read(spans, "requests", on_progress):
            found.add_request(record)
        results = self.admin.spans([RESULTS], since_ms - CLOCK_SKEW_MS)
        for record in self.read(results, "results", on_progress):
            found.add_result(record)

    def redrive(self, lost: Mapping[RecordLocation, OpenRequest], on_progress: OnReadProgress) -> int:
        """Read the lost requests a second time, as their texts were not kept, send them, and return how many."""
        if not lost:
            return 0
        with scanning(self.kafka, _around(lost)) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                found = [
                    (self._key(record), record, request)
                    for record in records
                    if (request := lost.get(RecordLocation.of(record)))
                ]
                self.reopen([RequestRevision(key, one.revision) for key, _, one in found if one.redrives])
                self.producer.send([_copy(key, record, one.revision) for key, record, one in found])
                on_progress("redrive", scan.share)
        log.info("requests_redriven", requests=len(lost))
        return len(lost)

    def _key(self, record: InboundRecord) -> JobKey:
        return request_of(record, self.codec).key

    def read(self, spans: Sequence[Span], name: str, on_progress: OnReadProgress) -> Iterator[InboundRecord]:
        """Yield the records of these spans."""
        with scanning(self.kafka, spans) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                yield from records
                on_progress(name, scan.share)


@dataclass
class Tally:
    """The sum of several passes. `lost` has the lost requests by their locations."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: dict[RecordLocation, OpenRequest] = field(default_factory=dict)
    oldest_open_ms: int | None = None

    def add(self, found: OpenRequests, watermarks: Watermarks, loss_policy: LossPolicy) -> None:
        """Add what one pass found."""
        self.counts += found.counts
        for request, fate in found.fates(watermarks, loss_policy):
            self.counts[fate] += 1
            if fate == LOST:
                self.lost[request.location] = request
            if fate != GIVEN_UP:
                self._note_open(request.stored_ms)

    def report(self) -> ReconcileReport:
        """Return the numbers; nothing counts as sent again yet."""
        return ReconcileReport(**self.counts, oldest_open_ms=self.oldest_open_ms)

    def _note_open(self, stored_ms: int) -> None:
        if self.oldest_open_ms is None or stored_ms < self.oldest_open_ms:
            self.oldest_open_ms = stored_ms


def _copy(key: JobKey, record: InboundRecord, revision: int) -> OutboundRecord:
    headers = {**record.headers, **redrive_header(revision)}
    return OutboundRecord(record.topic, record.key or key.encode(), record.value or b"", headers)


def _around(lost: Collection[RecordLocation]) -> list[Span]:
    """Return, for each partition, the span from its first to its last lost request."""
    offsets: dict[tuple[str, int], list[int]] = {}
    for topic, partition, offset in lost:
        offsets.setdefault((topic, partition), []).append(offset)
    return [Span(*partition, min(found), max(found) + 1) for partition, found in offsets.items()]
