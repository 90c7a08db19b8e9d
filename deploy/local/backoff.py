"""When a process that ended is started again. Pure: time and chance are arguments."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """Times in seconds. The pause doubles with each failure in a row; a stable life makes up for them."""

    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0
    jitter: float = 0.2
    stable_after_seconds: float = 30.0
    start_attempts: int = 3


def failures_in_a_row(before: int, lived_seconds: float, policy: RestartPolicy) -> int:
    """How many short lives this one makes."""
    return 1 if lived_seconds >= policy.stable_after_seconds else before + 1


def pause_seconds(policy: RestartPolicy, failures: int, chance: float) -> float:
    """Pause after the n-th failure in a row (n >= 1). `chance` in 0..1 spreads it by +- jitter."""
    doubled: float = policy.first_pause_seconds * 2.0 ** min(failures - 1, 32)
    return min(doubled, policy.longest_pause_seconds) * (1 + policy.jitter * (2 * chance - 1))
