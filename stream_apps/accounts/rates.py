"""Count calls in one process."""

from schemas.shares import Decision, arrival

_MOST_CALLERS = 10_000


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
