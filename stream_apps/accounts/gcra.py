"""Count calls by the generic cell rate algorithm (ITU-T I.371): a minute's calls at once, then evenly. Pure.

One number per caller is kept, the theoretical arrival time (TAT): when it would have used up its calls if they had
come evenly. `connectors/redis/take_share.lua` does the same in Redis.
"""

import math
from dataclasses import dataclass

MINUTE_MS = 60_000
_MOST_CALLERS = 10_000


@dataclass(frozen=True)
class Decision:
    """Whether a call may pass. `remaining` calls may follow at once, `reset_ms` later all of them again.

    `retry_after_ms` is 0 for a call that may pass.
    """

    limit: int
    remaining: int
    reset_ms: int
    retry_after_ms: int = 0

    @property
    def is_allowed(self) -> bool:
        """Tell whether the call may pass."""
        return self.retry_after_ms == 0


def arrival(tat_ms: float, per_minute: int, now_ms: float) -> tuple[float, Decision]:
    """Return the TAT after one more call, and whether it may pass; one that may not leaves it as it was."""
    interval_ms = MINUTE_MS / per_minute
    before = max(tat_ms, now_ms)
    after = before + interval_ms
    excess_ms = after - now_ms - MINUTE_MS
    # Float intervals such as 60,000 / 7 do not add up exactly.
    if excess_ms > 1e-6 * MINUTE_MS:
        return tat_ms, Decision(per_minute, 0, math.ceil(before - now_ms), max(math.ceil(excess_ms), 1))
    remaining = math.floor((now_ms + MINUTE_MS - after) / interval_ms + 1e-6)
    return after, Decision(per_minute, remaining, math.ceil(after - now_ms))


class LocalRates:
    """The calls that came to this process, by caller. For one event loop."""

    def __init__(self, most_callers: int = _MOST_CALLERS) -> None:
        self._most_callers = most_callers
        self._tats: dict[str, float] = {}

    def take(self, caller: str, per_minute: int, now_ms: float) -> Decision:
        """Count a call if it may pass."""
        tat, decision = arrival(self._tats.get(caller, 0.0), per_minute, now_ms)
        self._tats[caller] = tat
        if len(self._tats) > self._most_callers:
            self._forget(now_ms)
        return decision

    def _forget(self, now_ms: float) -> None:
        # Whoever has all calls again is as good as unknown; of the others the oldest go, who are nearly so.
        living = sorted(((tat, caller) for caller, tat in self._tats.items() if tat > now_ms), reverse=True)
        self._tats = {caller: tat for tat, caller in living[: self._most_callers // 2]}
