"""What is to be done when: the one clock that requests, faults and their ends go by."""

import heapq
import itertools
import time
from collections.abc import Callable

Deed = Callable[[], None]


class Agenda:
    """Times in seconds since it was made. For one thread; a deed may add others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._order = itertools.count()
        self._deeds: list[tuple[float, int, Deed]] = []

    def now(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def add(self, at_seconds: float, deed: Deed) -> None:
        """Deeds of the same time are done in the order in which they were added."""
        heapq.heappush(self._deeds, (at_seconds, next(self._order), deed))

    def do_due(self) -> None:
        """Everything whose time has come."""
        now = self.now()
        while self._deeds and self._deeds[0][0] <= now:
            heapq.heappop(self._deeds)[2]()

    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self._deeds
