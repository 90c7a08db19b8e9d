"""Keep how far the erasures of tenants are, so that every HTTP process can tell.

State Redis: `tenant_erasure:{tenant}`, 30 days from the last word of it. Losing it loses nothing but the answer to
"how far is it?": the orders are in Kafka.
"""

from connectors.redis.client import AsyncClient, redis_errors
from schemas.tenant_erasures import TenantErasure

_KEPT_SECONDS = 30 * 24 * 3600


class AsyncRedisTenantErasures:
    """For an event loop. Raises TransientError."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def note(self, erasure: TenantErasure) -> None:
        """Replace what was known of the tenant's erasure."""
        with redis_errors():
            await self._client.set(_key(erasure.tenant), erasure.encode(), ex=_KEPT_SECONDS)

    async def read(self, tenant: str) -> TenantErasure | None:
        """Return the tenant's last erasure; None where there was none."""
        with redis_errors():
            found = await self._client.get(_key(tenant))
        return None if found is None else TenantErasure.decode(found)


def _key(tenant: str) -> str:
    return f"tenant_erasure:{{{tenant}}}"
