"""Keep what the state Redis knows of a request beside its slots, each by the key of the request.

`acc:{key}`     its plan as HTTP knows it, written once Kafka has stored the request
`req:{key}`     its plan as intake made it, written only after its batches are delivered; it marks a repeat
`jobs:{tenant}` the requests that HTTP accepted, by when they came; written with `acc:`
`deadlines`     sorted set of open requests by deadline (ms), written with `req:`. Only advice: an order that comes
                too late loses against the answer
`done:{key}`    who answers the request; written by connectors/redis/slots.py, as is `result:{key}`
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

import structlog

from connectors.redis.client import AsyncClient, Call, Client, redis_errors, run_all_async, script
from connectors.redis.slots import DEADLINES_KEY, are_answered, done_key
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.slots import RequestRevision

log = structlog.get_logger()

# A Redis that hangs costs its time-outs once, not in every cycle.
_UNASKED_SECONDS = 5.0
# Of milliseconds since the epoch, so that texts are ordered as numbers.
PLACE_DIGITS = 14


class RedisRequestPlans:
    """The plans of accepted requests, as intake knows them. For an event loop."""

    def __init__(self, client: AsyncClient, ttl_seconds: int, *, replaces: bool = False) -> None:
        """Take the client. `replaces`: a plan replaces the one that is there, else the first one stays."""
        self._client = client
        self._ttl_seconds = ttl_seconds
        self._replaces = replaces

    async def look_up(self, keys: Sequence[JobKey]) -> list[RequestPlan | None]:
        if not keys:
            return []
        with redis_errors():
            values = cast(list[bytes | None], await self._client.mget(list(map(planned_key, keys))))
        return [None if value is None else RequestPlan.decode(value) for value in values]

    async def note(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        if not plans:
            return
        keys = [DEADLINES_KEY]
        arguments: list[str | bytes | int] = [self._ttl_seconds, int(self._replaces)]
        for key, plan in plans.items():
            keys += [planned_key(key), done_key(RequestRevision(key))]
            arguments += [plan.encode(), str(key), "" if plan.deadline is None else plan.deadline]
        await run_all_async(self._client, [Call(script("note_plans"), keys, arguments)])

    async def forget(self, keys: Sequence[JobKey]) -> None:
        if not keys:
            return
        with redis_errors():
            await self._client.unlink(*map(planned_key, keys))


class AcceptedRequests:
    """Notes what HTTP has accepted, so that a caller who looks at once finds the job. For an event loop.

    Keeps the list of each tenant, too: `most_listed` requests, none longer than a plan.
    """

    def __init__(self, client: AsyncClient, ttl_seconds: int, most_listed: int = 10_000) -> None:
        self._client = client
        self._ttl_seconds = ttl_seconds
        self._most_listed = most_listed

    async def note(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        """Note the plans: one round trip. May be repeated. Raises TransientError."""
        await run_all_async(self._client, [self._call(key, plan) for key, plan in plans.items()])

    def _call(self, key: JobKey, plan: RequestPlan) -> Call:
        oldest = place_of(JobKey(key.tenant, ""), max(plan.submitted_at - self._ttl_seconds * 1000, 0))
        arguments = (plan.encode(), self._ttl_seconds, place_of(key, plan.submitted_at), oldest, self._most_listed)
        return Call(script("note_accepted"), (accepted_key(key), list_key(key.tenant)), arguments)


class RedisAnsweredRequests:
    """Which requests are answered, so that nobody works for them any more. Only advice: it saves work.

    A marker counts when it is final: while an answer is under way its transaction may still be aborted, and then
    the batches are wanted again. For threads, one round trip. `clock` counts seconds.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._asks_again_at = clock()

    def among(self, requests: Collection[RequestRevision]) -> set[RequestRevision]:
        asked = list(dict.fromkeys(requests))
        if not asked or self._clock() < self._asks_again_at:
            return set()
        try:
            answers = are_answered(self._client, asked)
        except TransientError as error:
            self._asks_again_at = self._clock() + _UNASKED_SECONDS
            log.warning("answered_requests_unknown", error=str(error))
            return set()
        return {request for request, is_answered in zip(asked, answers, strict=True) if is_answered}


class Deadlines:
    """Reads the deadlines that have passed. For threads. Raises TransientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def passed(self, now_ms: int, limit: int) -> list[JobKey]:
        """List up to `limit` requests whose deadline has passed, the earliest deadline first."""
        with redis_errors():
            found = self._client.zrange(DEADLINES_KEY, "-inf", now_ms, byscore=True, offset=0, num=limit)
        return [JobKey.parse(member.decode()) for member in found]  # type: ignore[union-attr]  # ours are bytes

    def remove(self, keys: Collection[JobKey]) -> None:
        """Forget the deadlines of requests whose end is ordered."""
        if keys:
            with redis_errors():
                self._client.zrem(DEADLINES_KEY, *map(str, keys))


def accepted_key(key: JobKey) -> str:
    """Name the plan as HTTP knows it."""
    return f"acc:{{{key}}}"


def planned_key(key: JobKey) -> str:
    """Name the plan as intake made it."""
    return f"req:{{{key}}}"


def list_key(tenant: str) -> str:
    """Name the list of the requests of a tenant."""
    return f"jobs:{{{tenant}}}"


def place_of(key: JobKey, at_ms: int) -> str:
    """Return the member of a request that came at that time; members are ordered by time."""
    return f"{at_ms:0{PLACE_DIGITS}d}/{key.request_id}"
