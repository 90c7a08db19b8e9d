"""How far the region that stands by is behind: the newest record of each topic on both sides."""

from dataclasses import dataclass, replace

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_scan import scanning
from connectors.kafka.settings import KafkaSettings
from deploy.regions.mirror import TOPICS

# A transaction holds at least one record before its mark.
_LAST = 10


@dataclass(frozen=True)
class Freshness:
    """Milliseconds since the epoch; None for a topic without records, or a region that is away."""

    topic: str
    source_ms: int | None
    target_ms: int | None

    @property
    def behind_seconds(self) -> float | None:
        """None where a side has nothing. A topic that rests is not behind: both sides end with the same record."""
        if self.source_ms is None or self.target_ms is None:
            return None
        return max(self.source_ms - self.target_ms, 0) / 1000


def freshness(source: KafkaSettings | None, target: KafkaSettings) -> list[Freshness]:
    """One for each topic that is copied; without `source` only what the target has."""
    return [
        Freshness(topic, _newest_ms(source, topic) if source else None, _newest_ms(target, topic))
        for topic in TOPICS
    ]


def _newest_ms(kafka: KafkaSettings, topic: str) -> int | None:
    # Of the records: what Kafka calls the newest is the mark of a transaction, which is as new as the copy.
    spans = KafkaAdmin(kafka).spans([topic])
    with scanning(kafka, [replace(span, first=max(span.first, span.end - _LAST)) for span in spans]) as scan:
        times = [record.timestamp_ms for records in scan.until_done(_LAST) for record in records]
    return max(times, default=None)
