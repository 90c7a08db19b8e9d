"""Know the secrets of tenants, as old as a setting allows; nothing is read while nothing is delivered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from stream_apps.accounts.directory import Directory
from stream_apps.accounts.store import AccountStore
from stream_apps.accounts.webhook_secrets import WebhookSecrets


@dataclass
class SecretBook:
    """For one event loop."""

    store: AccountStore
    secrets: WebhookSecrets
    refresh_seconds: float
    now_ms: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _directory: Directory = field(default_factory=Directory, init=False)
    _read_at: float = field(default=-inf, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def of(self, tenant: str) -> list[str]:
        """Return the living secrets of a tenant, the newest first. Raises TransientError."""
        async with self._reading:
            if self.clock() - self._read_at >= self.refresh_seconds:
                self._directory = await asyncio.to_thread(self.store.read)
                self._read_at = self.clock()
        return self.secrets.signing(self._directory, tenant, self.now_ms())
