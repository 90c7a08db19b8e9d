"""Order the erasure of whole tenants, one at a time, and tell how far that is. Knows no routes."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

import structlog

from producers.http.blocking.waiting_line import WaitingLine
from schemas.errors import DragomanError, TransientError
from schemas.ids import JobKey
from schemas.tenant_erasures import TELL_SECONDS, ErasureStage, TenantErasure
from stream_apps.redrive.erasing import ORDERS_AT_ONCE, Found

log = structlog.get_logger()

_REFUSAL, _RETRY_AFTER_SECONDS = "too many tenants are being erased", 60


class Eraser(Protocol):
    """The part of stream_apps.redrive.erasing.TenantEraser that is needed here. Blocks. Raises TransientError."""

    def find(self, tenant: str) -> Iterator[Found]:
        """Yield the requests of the tenant that are not erased, some at a time."""

    def order(self, keys: Iterable[JobKey], requested_by: str) -> Iterator[JobKey]:
        """Order them to be erased, and yield each whose order Kafka has stored."""


class NoRequests:
    """Stands in where no Kafka is read: no tenant has any request."""

    def find(self, tenant: str) -> Iterator[Found]:
        del tenant
        yield Found((), is_last=True)

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

    `most_waiting` tenants are in line at a time, the one whose turn it is among them. `ending`, once set, ends
    what the eraser reads. What a process leaves unfinished is INTERRUPTED; asked again, it orders what is not
    erased yet.
    """

    eraser: Eraser
    erasures: TenantErasures
    now_ms: Callable[[], int]
    most_waiting: int = 20
    ending: threading.Event = field(default_factory=threading.Event)
    tell_seconds: float = TELL_SECONDS
    _known: dict[str, TenantErasure] = field(default_factory=dict, init=False)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _line: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._line = WaitingLine(1, self.most_waiting, _REFUSAL, _RETRY_AFTER_SECONDS)

    async def start(self, tenant: str, asked_by: str) -> TenantErasure:
        """Begin, and return how it stands. One that is under way, in whichever process, is not begun twice.

        Raises OverloadedError where too many are in line, and TransientError where nothing is promised.
        """
        # Two who ask at the same time must not both find that nobody is at it.
        async with self._starting:
            under_way = self._known[tenant] if tenant in self._tasks else await self._elsewhere(tenant)
            return under_way or await self._begin(tenant, asked_by)

    async def look(self, tenant: str) -> TenantErasure | None:
        """Return how the last erasure of the tenant stands; None where there was none. Raises TransientError."""
        found = await self.erasures.read(tenant)
        return found and found.seen_at(self.now_ms())

    async def finished(self) -> None:
        """Return once none is under way."""
        await asyncio.gather(*self._tasks.values())

    async def close(self, seconds: float) -> None:
        """End what is under way, and return once that is told, or when the time is up."""
        self.ending.set()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def _elsewhere(self, tenant: str) -> TenantErasure | None:
        found, ours = await self.look(tenant), self._known.get(tenant)
        if found is None or not found.is_under_way:
            return None
        # Ours has ended. It may not be told: Redis was away.
        is_ours = ours is not None and ours.asked_at == found.asked_at
        return None if is_ours else found

    async def _begin(self, tenant: str, asked_by: str) -> TenantErasure:
        now_ms = self.now_ms()
        begun = TenantErasure(tenant=tenant, asked_by=asked_by, asked_at=now_ms, told_at=now_ms)
        with ExitStack() as place:
            place.enter_context(self._line.place())
            await self.erasures.note(begun)
            self._known[tenant] = begun
            self._tasks[tenant] = task = asyncio.create_task(self._erase(begun, place.pop_all()))
            task.add_done_callback(lambda _: self._tasks.pop(tenant))
        return begun

    async def _erase(self, begun: TenantErasure, place: ExitStack) -> None:
        tenant = begun.tenant
        teller = asyncio.create_task(self._tell_again_and_again(tenant))
        try:
            with place:
                async with self._line.turn():
                    await self._order_all(begun)
        except DragomanError as error:
            log.warning("tenant_not_erased", tenant=tenant, error=str(error))
            is_ending = self.ending.is_set()
            self._set(tenant, stage=ErasureStage.INTERRUPTED if is_ending else ErasureStage.FAILED)
        finally:
            teller.cancel()
        await self._tell(tenant)

    async def _order_all(self, begun: TenantErasure) -> None:
        tenant, requests = begun.tenant, 0
        portions = self.eraser.find(tenant)
        while True:
            self._go_on(tenant, stage=ErasureStage.READING)
            found = await self._line.on_thread(next, portions)
            requests += len(found.keys)
            self._go_on(tenant, stage=ErasureStage.ORDERING, requests=requests if found.is_last else None)
            await self._order(begun, found)
            if found.is_last:
                break
        self._set(tenant, stage=ErasureStage.ORDERED)
        log.info("tenant_erasure_ordered", tenant=tenant, requests=requests, asked_by=begun.asked_by)

    async def _order(self, begun: TenantErasure, found: Found) -> None:
        orders = self.eraser.order(found.keys, begun.asked_by)
        while some := await self._line.on_thread(lambda: list(islice(orders, ORDERS_AT_ONCE))):
            self._go_on(begun.tenant, ordered=self._known[begun.tenant].ordered + len(some))

    def _go_on(self, tenant: str, **changed: object) -> None:
        """Note the progress. Raises TransientError where the process is ending."""
        self._set(tenant, **changed)
        if self.ending.is_set():
            raise TransientError("the process is ending")

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
