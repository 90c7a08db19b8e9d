"""What earlier decisions found necessary: the memory of the scale-in window."""

import math
from collections import deque

from deploy.autoscaler.decision import ScalingDecision
from deploy.autoscaler.snapshot import PastNeed


class NeedHistory:
    """Keeps a little more than one window, so that it can be seen to be over. Times in seconds."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._found: deque[tuple[float, int]] = deque()
        self._scaled_in_at = -math.inf

    def add(self, decision: ScalingDecision, current: int, now: float) -> None:
        """That was decided at that time, while there were `current` replicas."""
        self._found.append((now, decision.needed))
        if decision.replicas < current:
            self._scaled_in_at = now
        while len(self._found) > 1 and now - self._found[1][0] >= self._window_seconds:
            self._found.popleft()

    def forget(self) -> None:
        """Nothing was seen for a while: the window begins anew."""
        self._found.clear()

    def steady_seconds(self, now: float) -> float:
        """Since the last decision for fewer replicas."""
        return now - self._scaled_in_at

    def past(self, now: float) -> tuple[PastNeed, ...]:
        """The oldest first."""
        return tuple(PastNeed(now - at, replicas) for at, replicas in self._found)
