"""Run tasks at their times: one clock for requests, faults and the ends of faults."""

import heapq
import itertools
import time
from collections.abc import Callable

Task = Callable[[], None]


class Timeline:
    """A queue of tasks by time, in seconds since it was made. For one thread; a task may add others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._order = itertools.count()
        self._tasks: list[tuple[float, int, Task]] = []

    def now(self) -> float:
        """Return the seconds since the timeline was made."""
        return self._clock() - self._began

    def add(self, at_seconds: float, task: Task) -> None:
        """Add a task. Tasks of the same time run in the order in which they were added."""
        heapq.heappush(self._tasks, (at_seconds, next(self._order), task))

    def do_due(self) -> None:
        """Run every task whose time has come."""
        now = self.now()
        while self._tasks and self._tasks[0][0] <= now:
            heapq.heappop(self._tasks)[2]()

    def is_done(self) -> bool:
        """Return whether no task is left."""
        return not self._tasks
