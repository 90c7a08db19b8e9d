"""What is known of a pool at one moment: all that a decision rests on. Words and seconds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.priorities import Priority


@dataclass(frozen=True)
class WaitingWork:
    """One priority's work: all that is not committed, so what is in a worker's hands counts too.

    `words_per_second` is the rate at which more arrives.
    """

    backlog_words: float = 0.0
    words_per_second: float = 0.0
    oldest_seconds: float = 0.0


@dataclass(frozen=True)
class PastNeed:
    """What an earlier decision found necessary."""

    seconds_ago: float
    replicas: int


@dataclass(frozen=True)
class Snapshot:
    """`pending_seconds`: for each replica that was asked for and is not ready, when it will be.

    `past` reaches back without a gap to its oldest entry.
    `steady_seconds`: since the last decision for fewer replicas.
    """

    waiting: Mapping[Priority, WaitingWork]
    replica_words_per_second: float
    startup_seconds: float
    ready: int
    pending_seconds: tuple[float, ...] = ()
    past: tuple[PastNeed, ...] = ()
    steady_seconds: float = math.inf

    @property
    def current(self) -> int:
        """Replicas that are ready or will be."""
        return self.ready + len(self.pending_seconds)
