"""Which priority's batch comes next: the most urgent first, and nobody starves. Pure.

A deficit counter per priority (after Shreedhar and Varghese, "Efficient fair queueing using deficit
round-robin", 1995): every translated word earns each priority its guaranteed share of credit, every word
taken costs one. Who has credit for a batch is served even while more urgent work waits; the rest of the
budget goes strictly by urgency. Unused shares are not lost: the next priority takes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.priorities import SLA_SECONDS, Priority


@dataclass(frozen=True)
class Shares:
    """Guaranteed shares of a busy worker, and when waiting work counts as old.

    `aged_share` replaces the share of a priority whose last record waited longer than
    `aged_after` (a fraction of its SLA).
    """

    guaranteed: Mapping[Priority, float]
    aged_after: float = 0.5
    aged_share: float = 0.5


@dataclass
class PriorityCredit:
    """The counters of one worker. Words in, words out."""

    shares: Shares
    most_words: int
    _credit: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))
    _waited_seconds: dict[Priority, float] = field(default_factory=lambda: dict.fromkeys(Priority, 0.0))

    def is_entitled(self, priority: Priority) -> bool:
        """Whether it has credit left, and so comes before urgency counts."""
        return self._credit[priority] >= 1

    def took(self, priority: Priority, words: int, waited_seconds: float) -> None:
        """A batch of that priority was taken after it had waited that long."""
        self._credit[priority] -= words
        self._waited_seconds[priority] = waited_seconds

    def found_empty(self, priority: Priority) -> None:
        """Nothing waits there: credit is for those who wait."""
        self._credit[priority] = min(self._credit[priority], 0.0)
        self._waited_seconds[priority] = 0.0

    def earned(self, words: int) -> None:
        """A cycle of that many words is done. Credit and debt are capped, so no burst follows a lull."""
        for priority in Priority:
            grown = self._credit[priority] + words * self._share(priority)
            self._credit[priority] = max(-self.most_words, min(grown, self.most_words))

    def _share(self, priority: Priority) -> float:
        guaranteed = self.shares.guaranteed.get(priority, 0.0)
        is_old = self._waited_seconds[priority] > self.shares.aged_after * SLA_SECONDS[priority]
        return max(guaranteed, self.shares.aged_share) if is_old else guaranteed
