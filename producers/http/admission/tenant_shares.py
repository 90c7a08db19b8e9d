"""Hold a submission against the limits of its tenant, so that one tenant's flood leaves the others their share.

The state Redis counts for all processes together. While it is away each process counts the requests of a minute by
itself, and nothing else is limited: an outage refuses nobody who keeps their pace.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from connectors.telemetry.metrics import HTTP_LIMITED
from producers.http.errors import TooManyRequestsError, seconds_of
from schemas.errors import TransientError
from schemas.shares import Bound, Decision, Shares, Taken, Wish
from stream_apps.accounts.rates import LocalRates

log = structlog.get_logger()

_DAY_MS = 24 * 60 * 60 * 1000
# About how long a request takes; nobody knows better.
_IN_FLIGHT_MS = 5_000
# A Redis that hangs costs its time-outs once, not for every request.
_UNASKED_MS = 1_000
_NOTHING = Taken(Decision(0, 0, 0))
_TIERS = "the limit is the tier's or the tenant's own; operators change it: dragoman tenants change"


@dataclass
class TenantShares:
    """The limits of submissions. `now_ms`: milliseconds since the epoch. For one event loop."""

    shares: Shares
    now_ms: Callable[[], int]
    _local: LocalRates = field(default_factory=LocalRates, init=False)
    _asks_again_at: int = field(default=0, init=False)

    async def take(self, wish: Wish) -> Taken:
        """Take what the request needs; of a tenant without limits it is nothing.

        Raises TooManyRequestsError, which says which limit it is and when to come again.
        """
        if not wish.limits.bounds_submissions:
            return _NOTHING
        taken = await self._taken(wish)
        if taken.refused_by is not None:
            HTTP_LIMITED.labels(taken.refused_by.name.lower()).inc()
            raise _refusal(wish, taken.refused_by, taken.rate, self.now_ms())
        return taken

    async def give_back(self, wish: Wish, taken_at_ms: int | None) -> None:
        """Give back what a request took then that was not sent; None: it took nothing.

        While Redis is away it comes back by itself, later.
        """
        if taken_at_ms is None:
            return
        try:
            await self.shares.give_back(wish, taken_at_ms)
        except TransientError as error:
            log.warning("share_not_given_back", error=str(error))

    async def _taken(self, wish: Wish) -> Taken:
        now_ms = self.now_ms()
        if now_ms >= self._asks_again_at:
            try:
                return await self.shares.take(wish, now_ms)
            except TransientError as error:
                self._asks_again_at = now_ms + _UNASKED_MS
                log.warning("shares_counted_here", error=str(error))
        if not wish.limits.requests_per_minute:
            return _NOTHING
        rate = self._local.take(wish.key.tenant, wish.limits.requests_per_minute, now_ms)
        return Taken(rate, None if rate.is_allowed else Bound.RATE)


def _refusal(wish: Wish, bound: Bound, rate: Decision, now_ms: int) -> TooManyRequestsError:
    limits = wish.limits
    match bound:
        case Bound.RATE:
            return TooManyRequestsError(
                "too_many_requests", "the requests of this minute are used up", rate, limit=_per_minute(rate)
            )
        case Bound.DAY:
            return TooManyRequestsError(
                "characters_used_up",
                f"{wish.characters} characters are more than is left of this day's",
                rate,
                limit=f"{limits.characters_per_day} characters a day (UTC)",
                retry_after_ms=_DAY_MS - now_ms % _DAY_MS,
                cure=f"send less, or wait for tomorrow; {_TIERS}",
            )
        case Bound.REQUESTS_IN_FLIGHT:
            limit = f"{limits.requests_in_flight} requests that are not answered yet"
        case Bound.CHARACTERS_IN_FLIGHT:
            limit = f"{limits.characters_in_flight} characters that are not answered yet"
    return TooManyRequestsError(
        "too_much_in_flight",
        "too much of this tenant is not answered yet",
        rate,
        limit=limit,
        retry_after_ms=_IN_FLIGHT_MS,
        cure=f"wait for answers, then send the same request again, in {seconds_of(_IN_FLIGHT_MS)} s; {_TIERS}",
    )


def _per_minute(rate: Decision) -> str:
    return f"{rate.limit} a minute"
