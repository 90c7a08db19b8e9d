"""What the demo sends and what comes back: real English prose, short requests beside it, and every result.

The load is sent to a running platform; the results are read from their topic, as any consumer would, until every
request has its answer.
"""

import random
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import httpx

from connectors.kafka.partition_reader import PartitionReader, open_tail
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from producers.cli.output import ProgressBars
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.ids import JobKey, event_id
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.segments import count_words
from schemas.topics import RESULTS, requests_topic
from stream_apps.runtime.process import now_ms

SOURCE, TARGET = "en", "pt"
TENANTS = ("acme", "globex", "initech")
# One in so many short requests has a text that another one had before; one in so many is sent twice.
REPEATED_TEXT, REPEATED_REQUEST = 4, 20

_DOCUMENT = "document (high)"
_LONGEST_SECONDS = 600.0
_HTTP_SECONDS = 30.0
_READ_SECONDS, _READ_RECORDS = 0.1, 500
_PROGRESS_SECONDS = 0.5
# Beyond a hundred samples the exact method of a percentile no longer matters; nearest rank is simplest.
_P95 = 0.95


@dataclass(frozen=True)
class DemoSize:
    """How much is sent. The short requests are spread evenly over `spread_seconds`."""

    words: int = 20_000
    short_requests: int = 200
    spread_seconds: float = 8.0
    seed: int = 7


@dataclass(frozen=True)
class DemoStack:
    """Addresses of the running platform."""

    http_url: str
    api_key: str
    kafka: KafkaSettings
    codec: Codec = field(default_factory=Codec)

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that shows the key."""
        return {"Authorization": f"Bearer {self.api_key}"}


@dataclass(frozen=True)
class DemoLoad:
    """One document for HTTP, and short texts for Kafka."""

    document_key: JobKey
    document: str
    texts: list[str]

    @classmethod
    def of(cls, size: DemoSize) -> "DemoLoad":
        """Make the same texts for the same size and seed, under a new id."""
        document = prose(size.words)
        chooser = random.Random(size.seed)
        return cls(
            JobKey(TENANTS[0], str(uuid.uuid4())), document, short_texts(document, size.short_requests, chooser)
        )


@dataclass(frozen=True)
class ScheduledRequest:
    """One request and when it is sent, in seconds after the document."""

    at_seconds: float
    priority: Priority
    request: TranslationRequest
    is_repeat: bool = False


@dataclass
class DemoResults:
    """Results by request, and how many records each request got."""

    codec: Codec
    expected: set[JobKey] = field(default_factory=set)
    results: dict[JobKey, TranslationResult] = field(default_factory=dict)
    seen: Counter[JobKey] = field(default_factory=Counter)
    arrived_ms: dict[JobKey, int] = field(default_factory=dict)

    def read(self, reader: PartitionReader, timeout_seconds: float) -> None:
        """Take in the results that have arrived."""
        for record in reader.take(_READ_RECORDS, timeout_seconds):
            result = self.codec.decode(record.value, TranslationResult)
            if result.key in self.expected:
                self.seen[result.key] += 1
                self.results[result.key] = result
                self.arrived_ms.setdefault(result.key, record.timestamp_ms)

    def is_complete(self) -> bool:
        """Say whether every request has its answer."""
        return len(self.results) == len(self.expected)

    @property
    def lost(self) -> int:
        """Count the requests without an answer."""
        return len(self.expected - self.results.keys())

    @property
    def duplicates(self) -> int:
        """Count the answers beyond the first."""
        return sum(count - 1 for count in self.seen.values())

    @property
    def words(self) -> int:
        """Return the source words of all results."""
        return sum(result.source_words for result in self.results.values())

    @property
    def reused_share(self) -> float:
        """Return the share of segments that came from the translation memory, 0 to 1."""
        segments = sum(result.segments for result in self.results.values())
        reused = sum(result.cached_segments for result in self.results.values())
        return reused / segments if segments else 0.0

    def last_arrival_ms(self) -> int:
        """Return when Kafka stored the last answer."""
        return max(self.arrived_ms.values())

    def p95_seconds(self) -> dict[str, float]:
        """Return for each priority the time after submission within which 95 % of the answers were stored."""
        waits = {priority: self._waits(priority) for priority in Priority}
        return {priority.value: percentile(seconds, _P95) for priority, seconds in waits.items() if seconds}

    def _waits(self, priority: Priority) -> list[float]:
        return [
            (self.arrived_ms[key] - result.submitted_at) / 1000
            for key, result in self.results.items()
            if result.priority == priority
        ]


@dataclass
class DemoRun:
    """One run. After `run`, `results` holds what came back and `started_ms` when it began."""

    stack: DemoStack
    load: DemoLoad
    spread_seconds: float
    bars: ProgressBars
    results: DemoResults = field(init=False)
    started_ms: int = field(default=0, init=False)
    repeated_requests: int = field(default=0, init=False)
    _next_progress: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Send all requests and read all answers. Raises TransientError naming how many are missing."""
        self.results = DemoResults(self.stack.codec)
        reader = open_tail(self.stack.kafka, RESULTS, fills_takes=False)
        producer = DurableProducer(self.stack.kafka)
        try:
            self.started_ms = now_ms()
            sends = deque(
                schedule(self.load.texts, self.spread_seconds, self.load.document_key.request_id, self.started_ms)
            )
            self.repeated_requests = sum(send.is_repeat for send in sends)
            self.results.expected = {self.load.document_key, *(send.request.key for send in sends)}
            self._submit_document()
            self._send_and_read(reader, producer, sends)
        finally:
            producer.close()
            reader.close()

    def _submit_document(self) -> None:
        body = {
            **self.load.document_key._asdict(),
            "text": self.load.document,
            "source_language": SOURCE,
            "target_language": TARGET,
            "priority": Priority.HIGH.value,
        }
        url = f"{self.stack.http_url}/api/v1/translations"
        httpx.post(url, json=body, headers=self.stack.headers, timeout=_HTTP_SECONDS).raise_for_status()

    def _send_and_read(
        self, reader: PartitionReader, producer: DurableProducer, sends: deque[ScheduledRequest]
    ) -> None:
        while not self.results.is_complete():
            if now_ms() - self.started_ms > _LONGEST_SECONDS * 1000:
                raise TransientError(f"{self.results.lost} requests have no answer after {_LONGEST_SECONDS:g} s")
            self._send_due(producer, sends)
            self.results.read(reader, _READ_SECONDS)
            self._show_document()
            self.bars.show_count("answers", len(self.results.results), len(self.results.expected))

    def _send_due(self, producer: DurableProducer, sends: deque[ScheduledRequest]) -> None:
        elapsed_seconds = (now_ms() - self.started_ms) / 1000
        due: list[OutboundRecord] = []
        while sends and sends[0].at_seconds <= elapsed_seconds:
            due.append(self._record(sends.popleft()))
        producer.send(due)

    def _record(self, send: ScheduledRequest) -> OutboundRecord:
        key, value = send.request.key.encode(), self.stack.codec.encode(send.request)
        return OutboundRecord(requests_topic(send.priority), key, value)

    def _show_document(self) -> None:
        if self.load.document_key in self.results.results:
            self.bars.show_share(_DOCUMENT, 1.0)
        elif time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + _PROGRESS_SECONDS
            key = self.load.document_key
            url = f"{self.stack.http_url}/api/v1/translations/{key.request_id}"
            params = {"tenant": key.tenant}
            job = httpx.get(url, params=params, headers=self.stack.headers, timeout=_HTTP_SECONDS)
            if job.is_success:
                self.bars.show_share(_DOCUMENT, float(job.json().get("progress") or 0.0) / 100)


def prose(words: int) -> str:
    """Return at least so many words of the Python language reference, as the standard library ships it."""
    from pydoc_data.topics import topics  # noqa: PLC0415  # half a megabyte that only the demo wants

    parts: list[str] = []
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        if count_words("\n\n".join(parts)) >= words:
            break
        parts.append(topics[name].strip())
    return "\n\n".join(parts)


def short_texts(text: str, count: int, chooser: random.Random) -> list[str]:
    """Return paragraphs of 15 to 60 words of the reference that are not in the text, some of them twice."""
    from pydoc_data.topics import topics  # noqa: PLC0415  # as above

    rest = [
        paragraph
        for name in sorted(topics)
        if topics[name].strip() not in text
        for paragraph in topics[name].split("\n\n")
    ]
    fitting = [paragraph.strip() for paragraph in rest if 15 <= count_words(paragraph) <= 60]
    distinct = chooser.sample(sorted(set(fitting)), count - count // REPEATED_TEXT)
    again = chooser.choices(distinct[: count // 2], k=count // REPEATED_TEXT)
    return distinct[: count // 2] + _interleaved(distinct[count // 2 :], again)


def schedule(texts: list[str], seconds: float, run_id: str, now_ms: int) -> Iterator[ScheduledRequest]:
    """Yield the short requests, spread evenly over the seconds, the priorities in turn; some are sent twice."""
    pause = seconds / len(texts)
    for number, (text, priority, tenant) in enumerate(zip(texts, cycle(Priority), cycle(TENANTS), strict=False)):
        request = TranslationRequest(
            request_id=event_id("demo", run_id, number),
            tenant=tenant,
            source_language="auto" if number % 10 == 0 else SOURCE,
            target_language=TARGET,
            text=text,
            submitted_at=now_ms + int(number * pause * 1000),
            metadata={"number": str(number)},
        )
        yield ScheduledRequest(number * pause, priority, request)
        if number % REPEATED_REQUEST == 0:
            yield ScheduledRequest(number * pause, priority, request, is_repeat=True)


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)


def _interleaved(first: list[str], second: list[str]) -> list[str]:
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    mixed = [text for pair in zip(longer, shorter, strict=False) for text in pair]
    return mixed + longer[len(shorter) :]
