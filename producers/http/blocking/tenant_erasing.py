"""Order the erasure of whole tenants, one at a time, and tell how far that is. Knows no routes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

import structlog

from producers.http.problems import OverloadedError
from schemas.errors import DragomanError, TransientError
from schemas.ids import JobKey
from schemas.tenant_erasures import TELL_SECONDS, ErasureStage, TenantErasure

log = structlog.get_logger()

_MOST_WAITING, _RETRY_AFTER_SECONDS = 20, 60
_AT_ONCE = 500


class Eraser(Protocol):
    """The part of stream_apps.redrive.erasing.TenantEraser that is needed here. Blocks. Raises TransientError."""

    def find(self, tenant: str) -> Sequence[JobKey]:
        """Return the requests of the tenant that are not erased."""

    def order(self, keys: Iterable[JobKey], requested_by: str) -> Iterator[JobKey]:
        """Order them to be erased, and yield each whose order Kafka has stored."""


class NoRequests:
    """Stands in where no Kafka is read: no tenant has any request."""

    def find(self, tenant: str) -> Sequence[JobKey]:
        del tenant
        return ()

    def order(self, keys: Iterable[JobKey], requested_by: str) -> Iterator[JobKey]:
        del requested_by
        yield from keys


class TenantErasures(Protocol):
    """Keeps how far the erasures are, for all processes. Raises TransientError."""

    async def note(self, erasure: TenantErasure) -> None:
        """Replace what was known of the tenant's erasure."""

    async def read(self, tenant: str) -> TenantErasure | None:
        """Return the tenant's last erasure; None where there was none."""


@dataclass
class TenantErasing:
    """Erases in the background: it reads all requests and results that Kafka holds. For one event loop.

    Whoever dies meanwhile leaves it INTERRUPTED; asked again, it orders what is not erased yet.
    """

    eraser: Eraser
    erasures: TenantErasures
    now_ms: Callable[[], int]
    tell_seconds: float = TELL_SECONDS
    _known: dict[str, TenantErasure] = field(default_factory=dict, init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False)

    async def start(self, tenant: str, asked_by: str) -> TenantErasure:
        """Begin, and return how it stands; one that this process is at already is not begun twice.

        Raises OverloadedError, and TransientError where nothing is promised.
        """
        if len(self._tasks) >= _MOST_WAITING:
            raise OverloadedError("too many tenants are being erased", _RETRY_AFTER_SECONDS)
        if tenant not in self._tasks:
            await self._begin(tenant, asked_by)
        return self._known[tenant]

    async def look(self, tenant: str) -> TenantErasure | None:
        """Return how the last erasure of the tenant stands; None where there was none. Raises TransientError."""
        found = await self.erasures.read(tenant)
        return found and found.seen_at(self.now_ms())

    async def finished(self) -> None:
        """Return once none is under way."""
        await asyncio.gather(*self._tasks.values())

    async def _begin(self, tenant: str, asked_by: str) -> None:
        now_ms = self.now_ms()
        begun = TenantErasure(tenant=tenant, asked_by=asked_by, asked_at=now_ms, told_at=now_ms)
        await self.erasures.note(begun)
        # Somebody else may have asked meanwhile.
        if tenant not in self._tasks:
            self._known[tenant] = begun
            self._tasks[tenant] = task = asyncio.create_task(self._erase(begun))
            task.add_done_callback(lambda _: self._tasks.pop(tenant))

    async def _erase(self, begun: TenantErasure) -> None:
        teller = asyncio.create_task(self._tell_again_and_again(begun.tenant))
        try:
            async with self._turn:
                await self._order_all(begun)
        except DragomanError as error:
            log.warning("tenant_not_erased", tenant=begun.tenant, error=str(error))
            self._set(begun.tenant, stage=ErasureStage.FAILED)
        finally:
            teller.cancel()
        await self._tell(begun.tenant)

    async def _order_all(self, begun: TenantErasure) -> None:
        tenant = begun.tenant
        self._set(tenant, stage=ErasureStage.READING)
        keys = await asyncio.to_thread(self.eraser.find, tenant)
        self._set(tenant, stage=ErasureStage.ORDERING, requests=len(keys))
        orders, ordered = self.eraser.order(keys, begun.asked_by), 0
        while some := await asyncio.to_thread(lambda: list(islice(orders, _AT_ONCE))):
            ordered += len(some)
            self._set(tenant, ordered=ordered)
        self._set(tenant, stage=ErasureStage.ORDERED)
        log.info("tenant_erasure_ordered", tenant=tenant, requests=ordered, asked_by=begun.asked_by)

    def _set(self, tenant: str, **changed: object) -> None:
        self._known[tenant] = replace(self._known[tenant], **changed)  # type: ignore[arg-type]  # names its fields

    async def _tell_again_and_again(self, tenant: str) -> None:
        while True:
            await asyncio.sleep(self.tell_seconds)
            await self._tell(tenant)

    async def _tell(self, tenant: str) -> None:
        self._set(tenant, told_at=self.now_ms())
        try:
            await self.erasures.note(self._known[tenant])
        except TransientError as error:
            log.warning("tenant_erasure_not_told", tenant=tenant, error=str(error))
