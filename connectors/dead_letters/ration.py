"""A token bucket that counts bytes. Pure: time is injected."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class TokenBucket:
    """In any span of t seconds no more than `burst_bytes + t * bytes_per_second` are granted.

    After burst_bytes / bytes_per_second quiet seconds the whole burst is there again. `clock` counts seconds and
    never goes back.
    """

    bytes_per_second: float
    burst_bytes: int
    clock: Callable[[], float]
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left = float(self.burst_bytes)
        self._at = self.clock()

    def grants(self, size_bytes: int) -> bool:
        """Whether so many bytes fit in now; then they are taken. What is refused costs nothing."""
        now = self.clock()
        self._left = min(self._left + (now - self._at) * self.bytes_per_second, self.burst_bytes)
        self._at = now
        if size_bytes > self._left:
            return False
        self._left -= size_bytes
        return True
