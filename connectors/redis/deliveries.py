"""Keep webhooks on their way: which are due, and what came of each.

State Redis:
`hooks:{tenant/request_id}`  hash: version of the result -> delivery (schemas/deliveries.py), for 8 days
`hooks:due:{host}`           sorted set of the deliveries to one host (`version/tenant/request_id`) by due time
`{state}:webhooks`           the epoch for which they are all noted (stream_apps/webhooks/recovery.py)
`hooks:hosts`                sorted set of the hosts by their first due time

A claimed delivery is due again when its lease ends: whoever is killed with it in hand has lost nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

from connectors.redis.client import AsyncClient, Call, Client, redis_errors, run_all, run_async, script
from connectors.redis.state_epoch import EPOCH_KEY
from schemas.deliveries import Delivery
from schemas.ids import JobKey

_HOSTS, _COMPLETE = "hooks:hosts", "{state}:webhooks"
# Without an assembler the state has no epoch, and all the same a mark.
_COMPLETE_FOR = b"of "


class RedisDeliveries:
    """The side that hears of results, for threads. Raises TransientError."""

    def __init__(self, client: Client, keep_seconds: int) -> None:
        self._client = client
        self._keep_seconds = keep_seconds
        self._epoch = b""

    def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Note those that are not known yet, and return how many they were. May be repeated."""
        calls = [
            Call(
                script("enqueue_delivery"),
                (_name(one.key.job), _HOSTS),
                (one.key.version, one.encode(), one.due_at, str(one.key), one.host, self._keep_seconds),
            )
            for one in deliveries
        ]
        return sum(run_all(self._client, calls))

    def is_complete(self) -> bool:
        """Tell whether the state holds all deliveries of the time in which they are tried.

        A state that was lost, restored or restarted does not say so until `set_complete`.
        """
        with redis_errors():
            epoch, complete = cast(list[bytes | None], self._client.mget(EPOCH_KEY, _COMPLETE))
        self._epoch = epoch or b""
        return complete == _COMPLETE_FOR + self._epoch

    def set_complete(self) -> None:
        """Say so of the state that `is_complete` saw last."""
        with redis_errors():
            self._client.set(_COMPLETE, _COMPLETE_FOR + self._epoch)


class AsyncRedisDeliveries:
    """The side that delivers and shows, for an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient, keep_seconds: int) -> None:
        self._client = client
        self._keep_seconds = keep_seconds

    async def claim(
        self, now_ms: int, lease_until_ms: int, most: int, most_of_host: int, rooms: Mapping[str, int]
    ) -> list[Delivery]:
        """Take up to `most` that are due; of the hosts in `rooms` so many, of others up to `most_of_host`."""
        arguments: list[str | int] = [now_ms, lease_until_ms, most, most_of_host]
        arguments += chain.from_iterable(rooms.items())
        found = await run_async(self._client, Call(script("claim_deliveries"), (_HOSTS,), arguments))
        return [Delivery.decode(one) for one in found]

    async def settle(self, delivery: Delivery) -> None:
        """Note how it stands; with `due_at` 0 it leaves the queue."""
        key, host = delivery.key, delivery.host
        keys = (_name(key.job), _HOSTS, f"hooks:due:{host}")
        arguments = (key.version, delivery.encode(), delivery.due_at, str(key), host, self._keep_seconds)
        call = Call(script("settle_delivery"), keys, arguments)
        await run_async(self._client, call)

    async def of_job(self, job: JobKey) -> list[Delivery]:
        """Return the deliveries of a job by version; none for a job without a callback."""
        with redis_errors():
            found = await self._client.hgetall(_name(job))
        return sorted((Delivery.decode(one) for one in found.values()), key=lambda one: one.key.version)


def _name(job: JobKey) -> str:
    return f"hooks:{job}"
