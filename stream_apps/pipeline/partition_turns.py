"""Deal batches out to the partitions of their topic, one after the other (docs/decisions/0003)."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PartitionTurns:
    """Counts for each topic whose turn it is. For one thread."""

    partitions: int = 6
    _dealt: dict[str, int] = field(default_factory=lambda: defaultdict(int), init=False)

    def next(self, topic: str) -> int:
        """Return the partition for the next batch of that topic.

        Neighbours go to different halves of the partitions, for of two workers each often holds one of them.
        """
        half, is_upper = divmod(self._dealt[topic] % self.partitions, 2)
        self._dealt[topic] += 1
        return half + is_upper * -(-self.partitions // 2)
