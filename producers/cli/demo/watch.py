"""Everything that comes out, seen as a consumer of the results topic sees it."""

from collections import Counter
from dataclasses import dataclass, field

from connectors.kafka.log_reader import LogReader
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.priorities import Priority

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
