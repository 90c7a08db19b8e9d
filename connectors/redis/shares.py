"""Keep the shares of tenants in the state Redis: one round trip for all requests of a moment, whatever is
limited.

`rate:{tenant}`        theoretical arrival time of the next request, microseconds since the epoch; a minute at most
`chars:{tenant}:DAY`   characters of that day (UTC), YYYYMMDD; two days
`flight:{tenant}`      sorted set of unanswered requests, by when they came; finish_answers.lua removes them
`flying:{tenant}`      their characters
"""

from datetime import UTC, datetime

from connectors.redis.client import AsyncClient, Call, script
from connectors.redis.shared_trips import shared_calls
from connectors.redis.slots import done_key
from schemas.shares import Bound, Decision, Taken, Wish
from schemas.slots import RequestRevision


class RedisShares:
    """For an event loop. Raises TransientError.

    A request in flight is forgotten after `forget_seconds`: Kafka may never have stored it.
    """

    def __init__(self, client: AsyncClient, forget_seconds: int) -> None:
        self._calls = shared_calls(client)
        self._forget_seconds = forget_seconds

    async def take(self, wish: Wish, now_ms: int) -> Taken:
        limits = wish.limits
        arguments = (
            *(limits.requests_per_minute, limits.characters_per_day),
            *(limits.requests_in_flight, limits.characters_in_flight),
            *(str(wish.key), wish.characters, self._forget_seconds, int(wish.may_be_repeat)),
        )
        keys = (_rate_key(wish.key.tenant), *_kept_keys(wish, now_ms), done_key(RequestRevision(wish.key)))
        reply = await self._calls.ask(Call(script("take_share"), keys, arguments))
        refused_by, remaining, reset_ms, retry_after_ms, has_taken = map(int, reply)
        rate = Decision(limits.requests_per_minute, remaining, reset_ms, retry_after_ms)
        return Taken(rate, Bound(refused_by) if refused_by else None, now_ms if has_taken else None)

    async def give_back(self, wish: Wish, taken_at_ms: int) -> None:
        arguments = (str(wish.key), wish.characters)
        await self._calls.ask(Call(script("return_share"), _kept_keys(wish, taken_at_ms), arguments))


def _rate_key(tenant: str) -> str:
    return f"rate:{{{tenant}}}"


def _kept_keys(wish: Wish, at_ms: int) -> tuple[str, str, str]:
    tenant, day = wish.key.tenant, datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"chars:{{{tenant}}}:{day:%Y%m%d}", f"flight:{{{tenant}}}", f"flying:{{{tenant}}}"
