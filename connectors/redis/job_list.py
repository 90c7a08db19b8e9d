"""List the requests of a tenant that came by HTTP, the newest first.

`jobs:{tenant}`: sorted set whose members are `MILLISECONDS/request_id`, all with score 0, so that they are ordered
by when they came and a member is a place in the list. Written and bounded by connectors/redis/request_markers.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from connectors.redis.client import AsyncClient, redis_errors
from connectors.redis.job_view import JobView, view_names, view_of
from connectors.redis.request_markers import PLACE_DIGITS, list_key, place_of
from schemas.ids import JobKey


@dataclass(frozen=True)
class Listed:
    """One request of a list. `place` is its member; `view` None: nothing is known of it any more."""

    place: str
    view: JobView | None


class AsyncJobList:
    """For an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def page(self, tenant: str, since_ms: int, before: str, most: int) -> list[Listed]:
        """Return up to `most` requests, the newest first, that came at or after `since_ms` and before a place.

        Without progress and results. Two round trips.
        """
        oldest, newest = f"[{place_of(JobKey(tenant, ''), since_ms)}", f"({before}"
        with redis_errors():
            members = await self._client.zrange(
                list_key(tenant), newest, oldest, bylex=True, desc=True, offset=0, num=most
            )
        places = [member.decode() for member in cast(Sequence[bytes], members)]
        keys = [JobKey(tenant, place[PLACE_DIGITS + 1 :]) for place in places]
        return [Listed(place, view) for place, view in zip(places, await self._views(keys), strict=True)]

    async def _views(self, keys: Sequence[JobKey]) -> list[JobView | None]:
        names = [name for key in keys for name in view_names(key)]
        if not names:
            return []
        with redis_errors():
            values = cast(list[bytes | None], await self._client.mget(names))
        each = len(names) // len(keys)
        return [view_of(key, values[at * each : (at + 1) * each], batches_done=0) for at, key in enumerate(keys)]
