"""Decide when the next transaction begins. A transaction costs the broker by itself, hardly by its records.

While little arrives, an answer is committed at once. Under load a transaction waits for more records, the longer
the less urgent its records are. Where workers are the bottleneck little arrives at a time, but answers have waited
long already, and a little more is no loss: a transaction waits a tenth of what its records have waited, urgent or
not. That is soon paid back: the processor that it saves translates.
The wait counts from the beginning of the last, so no pause follows a slow cycle.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.priorities import Priority
from schemas.records import InboundRecord, accepted_ms, told_priority

# Below it, a transaction for each record is cheaper than a wait for its caller.
_BUSY_RECORDS_PER_SECOND = 15.0
_WINDOW_SECONDS = 1.0
_SHARE_OF_WAIT = 0.1
_MOST_SECONDS = 0.25
_APART_SECONDS = {Priority.CRITICAL: 0.04, Priority.HIGH: 0.08, Priority.STANDARD: 0.25}


@dataclass
class Pace:
    """Measures what arrives, and spaces transactions under load. `clock` counts seconds."""

    apart_seconds: Mapping[Priority, float] = field(default_factory=lambda: _APART_SECONDS)
    clock: Callable[[], float] = time.monotonic
    _began_at: float = field(default=0.0, init=False)
    _window_began_at: float = field(default=0.0, init=False)
    _in_window: int = field(default=0, init=False)
    _per_second: float = field(default=0.0, init=False)

    def pause_seconds(self, records: Sequence[InboundRecord]) -> float:
        """Return how long to wait for more before these records are handled; about 0 while little arrives."""
        if not records:
            return 0.0
        is_busy = self._rate() > _BUSY_RECORDS_PER_SECOND
        apart = min(self._apart_seconds(record, is_busy=is_busy) for record in records)
        return max(self._began_at + apart - self.clock(), 0.0)

    def _apart_seconds(self, record: InboundRecord, *, is_busy: bool) -> float:
        # Both times are of Kafka's or this system's clock; skew changes the pause within these bounds.
        waited = (record.timestamp_ms - accepted_ms(record)) / 1000
        under_load = self.apart_seconds[told_priority(record.headers)] if is_busy else 0.0
        return max(under_load, min(_SHARE_OF_WAIT * waited, _MOST_SECONDS))

    def took(self, records: Sequence[InboundRecord]) -> None:
        """Note that a cycle begins with these records."""
        if records:
            self._began_at = self.clock()
            self._roll()
            self._in_window += len(records)

    def _rate(self) -> float:
        """Return the records per second of the last whole window, or of the present one if that is faster."""
        self._roll()
        elapsed = max(self.clock() - self._window_began_at, _WINDOW_SECONDS / 4)
        return max(self._per_second, self._in_window / elapsed)

    def _roll(self) -> None:
        elapsed = self.clock() - self._window_began_at
        if elapsed >= _WINDOW_SECONDS:
            # After a silence of a whole window nothing of the last burst counts.
            self._per_second = self._in_window / elapsed
            self._window_began_at, self._in_window = self.clock(), 0
