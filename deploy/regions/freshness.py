"""How far the region that stands by is behind: the newest record of each topic on both sides."""

from dataclasses import dataclass

from connectors.kafka.admin import KafkaAdmin
from deploy.regions.mirror import TOPICS


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


def freshness(source: KafkaAdmin | None, target: KafkaAdmin) -> list[Freshness]:
    """One for each topic that is copied; without `source` only what the target has."""
    newest_there = source.newest(TOPICS) if source else {}
    newest_here = target.newest(TOPICS)
    return [Freshness(topic, newest_there.get(topic), newest_here.get(topic)) for topic in TOPICS]
