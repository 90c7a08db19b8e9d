"""Replicas that were asked for and are not ready: when they will be, and how long a start takes."""

from collections import deque

_REMEMBERED_STARTS = 10


class Starts:
    """Told again and again how many are asked for and ready. Times in seconds."""

    def __init__(self, first_startup_seconds: float) -> None:
        self._first_startup_seconds = first_startup_seconds
        self._asked_at: deque[float] = deque()
        self._took_seconds: deque[float] = deque(maxlen=_REMEMBERED_STARTS)
        self._ready: int | None = None

    def observe(self, asked: int, ready: int, now: float) -> None:
        """The oldest start is taken for the one that ended."""
        came = 0 if self._ready is None else max(ready - self._ready, 0)
        self._ready = ready
        for at in [self._asked_at.popleft() for _ in range(min(came, len(self._asked_at)))]:
            self._took_seconds.append(now - at)
        pending = max(asked - ready, 0)
        while len(self._asked_at) > pending:
            self._asked_at.pop()
        self._asked_at.extend([now] * (pending - len(self._asked_at)))

    @property
    def startup_seconds(self) -> float:
        """About the 90th percentile of the last starts; what was assumed until one was seen."""
        longest_first = sorted(self._took_seconds, reverse=True)
        return (
            longest_first[len(longest_first) // _REMEMBERED_STARTS]
            if longest_first
            else self._first_startup_seconds
        )

    def pending_seconds(self, now: float) -> tuple[float, ...]:
        """When each will be ready. One that is overdue counts as just begun: nobody knows."""
        left = (self.startup_seconds - (now - at) for at in self._asked_at)
        return tuple(seconds if seconds > 0 else self.startup_seconds for seconds in left)

    def begin_again(self, now: float) -> None:
        """All that are pending were asked for once more."""
        self._asked_at = deque([now] * len(self._asked_at))

    def is_overdue(self, now: float) -> bool:
        """Whether one takes more than twice as long as usual: perhaps nobody is starting it."""
        return bool(self._asked_at) and now - self._asked_at[0] > 2 * self.startup_seconds
