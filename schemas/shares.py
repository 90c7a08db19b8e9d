"""What a tenant may ask for: its limits, what one request takes of them, and how calls are counted. Pure.

Calls are counted by the generic cell rate algorithm (ITU-T I.371): a minute's calls at once, then evenly. One
number per tenant is kept, the theoretical arrival time (TAT): when the calls so far would be over if they had come
evenly.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from schemas.ids import JobKey

MINUTE_MS = 60_000
# Float intervals such as 60,000 / 7 do not add up exactly.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Limits:
    """The limits of one tenant; 0: no limit."""

    requests_per_minute: int = 0
    reads_per_minute: int = 0
    characters_per_day: int = 0
    requests_in_flight: int = 0
    characters_in_flight: int = 0

    @property
    def bounds_submissions(self) -> bool:
        """Tell whether anything but reading is limited."""
        return any(
            (self.requests_per_minute, self.characters_per_day, self.requests_in_flight, self.characters_in_flight)
        )


@dataclass(frozen=True)
class Decision:
    """Whether a call may pass. `remaining` calls may follow at once, `reset_ms` later all of them again.

    `retry_after_ms` is 0 for a call that may pass. `limit` 0: calls are not counted.
    """

    limit: int
    remaining: int
    reset_ms: int
    retry_after_ms: int = 0

    @property
    def is_allowed(self) -> bool:
        """Tell whether the call may pass."""
        return self.retry_after_ms == 0


class Bound(IntEnum):
    """The limit that refuses a request; the numbers are those of take_share.lua."""

    RATE = 1
    DAY = 2
    REQUESTS_IN_FLIGHT = 3
    CHARACTERS_IN_FLIGHT = 4


@dataclass(frozen=True)
class Wish:
    """One more request: whose, how many characters, and the limits that hold for its tenant.

    A request under an id that was made at random is no repeat.
    """

    key: JobKey
    characters: int
    limits: Limits
    may_be_repeat: bool = True


@dataclass(frozen=True)
class Taken:
    """The outcome: `refused_by` None says that the request has its share. `rate` counts requests of a minute.

    `at_ms` says when it took more than its call: what can be given back. None where it did not, as a repeat.
    """

    rate: Decision
    refused_by: Bound | None = None
    at_ms: int | None = None


class Shares(Protocol):
    """Keeps what each tenant has taken. What is taken in flight comes back with the answer to the request."""

    async def take(self, wish: Wish, now_ms: int) -> Taken:
        """Take what the request needs, all or nothing. A repeat of a request takes its call only."""

    async def give_back(self, wish: Wish, taken_at_ms: int) -> None:
        """Give back what a request took then that was not sent; its call stays counted."""


def arrival(tat_ms: float, per_minute: int, now_ms: float) -> tuple[float, Decision]:
    """Return the TAT after one more call, and whether it may pass; one that may not leaves it as it was."""
    interval_ms = MINUTE_MS / per_minute
    before = max(tat_ms, now_ms)
    after = before + interval_ms
    excess_ms = after - now_ms - MINUTE_MS
    if excess_ms > _ROUNDING * MINUTE_MS:
        return tat_ms, Decision(per_minute, 0, math.ceil(before - now_ms), max(math.ceil(excess_ms), 1))
    remaining = math.floor((now_ms + MINUTE_MS - after) / interval_ms + _ROUNDING)
    return after, Decision(per_minute, remaining, math.ceil(after - now_ms))
