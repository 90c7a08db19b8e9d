"""Everything that comes out, seen as a consumer of the results topic sees it.

Sends the load to a running stack and watches until every answer is there.
"""

import random
import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass, field

import httpx
from rich.progress import Progress, TaskID

from connectors.kafka.partition_reader import LogReader
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from producers.cli.demo_load import SOURCE, TARGET, ScheduledRequest, prose, schedule, short_texts
from schemas import topics
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.messages import TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.topics import requests_topic

_TAKE = 500
# Beyond a hundred samples the exact method of a percentile no longer matters; nearest rank is simplest.
_P95 = 0.95


@dataclass
class DemoResults:
    """Results by request, and how many records each request got."""

    codec: Codec
    expected: set[str] = field(default_factory=set)
    results: dict[str, TranslationResult] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    arrived_ms: dict[str, int] = field(default_factory=dict)

    def read(self, reader: LogReader, timeout_seconds: float) -> None:
        """Takes in what has arrived."""
        for record in reader.take(_TAKE, timeout_seconds):
            result = self.codec.decode(record.value, TranslationResult)
            if result.request_id in self.expected:
                self.seen[result.request_id] += 1
                self.results[result.request_id] = result
                self.arrived_ms.setdefault(result.request_id, record.timestamp_ms)

    def is_complete(self) -> bool:
        """Whether every request has its answer."""
        return len(self.results) == len(self.expected)

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return len(self.expected - self.results.keys())

    @property
    def duplicates(self) -> int:
        """Answers beyond the first."""
        return sum(count - 1 for count in self.seen.values())

    @property
    def words(self) -> int:
        """Source words of all results."""
        return sum(result.source_words for result in self.results.values())

    @property
    def reused_share(self) -> float:
        """Share of segments that were not translated anew, 0 to 1."""
        segments = sum(result.segments for result in self.results.values())
        reused = sum(result.cached_share * result.segments for result in self.results.values())
        return reused / segments if segments else 0.0

    def last_arrival_ms(self) -> int:
        """When the last answer was stored."""
        return max(self.arrived_ms.values())

    def p95_seconds(self) -> dict[str, float]:
        """By priority: 95 % of the answers were stored so long after submission."""
        return {
            priority.value: percentile(waits, _P95) for priority in Priority if (waits := self._waits(priority))
        }

    def _waits(self, priority: Priority) -> list[float]:
        return [
            (self.arrived_ms[request_id] - result.submitted_at) / 1000
            for request_id, result in self.results.items()
            if result.priority == priority
        ]


def percentile(values: list[float], share: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)


def open_results(settings: KafkaSettings) -> LogReader:
    """Reads the results that are written from now on."""
    return LogReader(settings, topics.RESULTS)


_LONGEST_SECONDS = 600.0
_HTTP_SECONDS = 30.0
_READ_SECONDS = 0.1
_PROGRESS_SECONDS = 0.5
DOCUMENT_PRIORITY = Priority.HIGH


@dataclass(frozen=True)
class DemoSize:
    """How much is sent. The short requests arrive evenly over `spread_seconds`."""

    words: int = 20_000
    short_requests: int = 200
    spread_seconds: float = 8.0
    seed: int = 7


@dataclass(frozen=True)
class DemoStack:
    """Where the parts of the running stack are."""

    http_url: str
    kafka: KafkaSettings
    codec: Codec = field(default_factory=Codec)


@dataclass(frozen=True)
class DemoLoad:
    """One document through HTTP, and short requests through Kafka."""

    document_id: str
    document: str
    texts: list[str]

    @classmethod
    def of(cls, size: DemoSize) -> "DemoLoad":
        """The same texts for the same size and seed, under a new document id."""
        document = prose(size.words)
        chooser = random.Random(size.seed)
        return cls(str(uuid.uuid4()), document, short_texts(document, size.short_requests, chooser))


@dataclass
class DemoRun:
    """One run. After `run`, `results` holds what came out and `started_ms` when it began."""

    stack: DemoStack
    load: DemoLoad
    spread_seconds: float
    progress: Progress
    results: DemoResults = field(init=False)
    started_ms: int = field(default=0, init=False)
    repeated_requests: int = field(default=0, init=False)
    _next_progress: float = field(default=0.0, init=False)

    def run(self) -> None:
        """All requests out, all answers in. Raises TransientError naming how many are missing."""
        self.results = DemoResults(self.stack.codec)
        reader, producer = open_results(self.stack.kafka), DurableProducer(self.stack.kafka)
        try:
            self.started_ms = _now_ms()
            sends = deque(schedule(self.load.texts, self.spread_seconds, self.load.document_id, self.started_ms))
            self.repeated_requests = sum(send.is_repeat for send in sends)
            self.results.expected = {self.load.document_id, *(send.request.request_id for send in sends)}
            self._submit_document()
            self._watch(reader, producer, sends)
        finally:
            producer.close()
            reader.close()

    def _submit_document(self) -> None:
        body = {
            "request_id": self.load.document_id,
            "text": self.load.document,
            "source_language": SOURCE,
            "target_language": TARGET,
            "priority": DOCUMENT_PRIORITY.value,
        }
        url = f"{self.stack.http_url}/api/v1/translations"
        httpx.post(url, json=body, timeout=_HTTP_SECONDS).raise_for_status()

    def _watch(self, reader: LogReader, producer: DurableProducer, sends: deque[ScheduledRequest]) -> None:
        document = self.progress.add_task("document (high)", total=1.0)
        answers = self.progress.add_task("answers", total=len(self.results.expected))
        while not self.results.is_complete():
            if _now_ms() - self.started_ms > _LONGEST_SECONDS * 1000:
                raise TransientError(f"{self.results.lost} requests have no answer after {_LONGEST_SECONDS:g} s")
            self._send_due(producer, sends)
            self.results.read(reader, _READ_SECONDS)
            self.progress.update(answers, completed=len(self.results.results))
            self._show_document(document)

    def _send_due(self, producer: DurableProducer, sends: deque[ScheduledRequest]) -> None:
        elapsed_seconds = (_now_ms() - self.started_ms) / 1000
        due: list[OutboundRecord] = []
        while sends and sends[0].at_seconds <= elapsed_seconds:
            due.append(self._record(sends.popleft()))
        producer.send(due)

    def _record(self, send: ScheduledRequest) -> OutboundRecord:
        key, value = send.request.request_id.encode(), self.stack.codec.encode(send.request)
        return OutboundRecord(requests_topic(send.priority), key, value)

    def _show_document(self, task: TaskID) -> None:
        if self.load.document_id in self.results.results:
            self.progress.update(task, completed=1.0)
        elif time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + _PROGRESS_SECONDS
            url = f"{self.stack.http_url}/api/v1/translations/{self.load.document_id}"
            job = httpx.get(url, timeout=_HTTP_SECONDS)
            if job.is_success:
                self.progress.update(task, completed=float(job.json().get("progress") or 0.0))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
