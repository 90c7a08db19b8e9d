"""Decide how long to wait before something is tried again: one rule for all processes. Pure."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 32


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses in seconds that double with each failure in a row, from `first_seconds` up to `longest_seconds`.

    `spread` (0 to 1) is the share of a pause that chance may take away, so that processes which failed together
    do not come back together.
    """

    first_seconds: float = 0.2
    longest_seconds: float = 3.0
    spread: float = 0.5

    def pause_seconds(self, failures: int, chance: float, least_seconds: float = 0.0) -> float:
        """Return the pause after that many failures in a row, counted from 1.

        `chance` is a random number from 0 to 1. `least_seconds` is what the failure itself asks for; it replaces
        a shorter first pause.
        """
        first = max(self.first_seconds, least_seconds)
        doubled = first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
        return min(doubled, self.longest_seconds) * (1 - self.spread * chance)
