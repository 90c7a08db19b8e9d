"""Take the records of one topic together: whatever has arrived while the last take was processed.

Faust hands over one event at a time, a bundle of records (connectors/faust/bundles.py), and waits until it is
acknowledged. Here an event is only put into line, so Faust goes on; a task of its own has the line processed, in
order, and acknowledges each event when everything it led to is stored. A rebalance waits for that, as it waits
for any agent. A lone event is processed at once.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import structlog
from faust.types import EventT

from connectors.faust.bundles import Bundle, TakeLimits
from schemas.errors import FATAL_EXIT_CODE
from schemas.records import InboundRecord

log = structlog.get_logger()

ProcessRecords = Callable[[Sequence[InboundRecord]], Awaitable[bool]]
"""Returns True once the outputs of all records are stored, False if their partitions are about to be revoked."""


class Finisher(Protocol):
    """The part of the consumer that decides what may be committed, and how much more is fetched."""

    def received(self, bundle: Any) -> None:
        """Note that these records are in line."""

    def finish(self, bundle: Any) -> None:
        """Note that these records and all before them are done."""

    def abandon(self) -> None:
        """Commit nothing more before the next assignment."""


class EventLine:
    """The events of one topic that wait to be processed. For one event loop."""

    def __init__(
        self,
        process: ProcessRecords,
        finisher: Callable[[], Finisher],
        limits: TakeLimits,
        may_cancel: Callable[[], bool],
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        """Take what processes the events. `may_cancel` tells whether the process is being stopped."""
        self._process = process
        self._finisher = finisher
        self._limits = limits
        self._may_cancel = may_cancel
        self._exit_process = exit_process
        self._waiting: deque[EventT[Any]] = deque()
        self._arrived = asyncio.Event()

    def add(self, event: EventT[Any]) -> None:
        """Put an event into line."""
        self._waiting.append(event)
        self._finisher().received(event.message)
        self._arrived.set()

    async def run(self) -> None:
        """Have the events processed, for ever.

        After any exception the process ends, so that the events are delivered again: Faust would go on with the
        next event and lose these.
        """
        while True:
            try:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._process_take(self._take())
            except asyncio.CancelledError:
                if not self._may_cancel():
                    self._end_process("cancelled")
                raise
            except BaseException as error:
                self._end_process(f"{type(error).__name__}: {error}")
                raise

    def _take(self) -> list[EventT[Any]]:
        """Return the first events whose records fit into one take, one event at least."""
        taken = [self._waiting.popleft()]
        records, value_bytes = _size(taken[0])
        while self._waiting:
            more, more_bytes = _size(self._waiting[0])
            records, value_bytes = records + more, value_bytes + more_bytes
            if records > self._limits.records or value_bytes > self._limits.value_bytes:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _process_take(self, events: Sequence[EventT[Any]]) -> None:
        finisher = self._finisher()
        bundles = [_bundle(event) for event in events]
        if await self._process([record for bundle in bundles for record in bundle.records]):
            for bundle, event in zip(bundles, events, strict=True):
                finisher.finish(bundle)
                event.ack()
            return
        log.warning("events_abandoned", events=len(events) + len(self._waiting))
        finisher.abandon()
        # A rebalance waits until all are acknowledged. They are not finished, so they are read again.
        for event in (*events, *self._waiting):
            event.ack()
        self._waiting.clear()

    def _end_process(self, reason: str) -> None:
        log.critical("process_failed", error=reason, code=FATAL_EXIT_CODE)
        self._exit_process(FATAL_EXIT_CODE)


def _bundle(event: EventT[Any]) -> Bundle:
    return cast(Bundle, event.message)


def _size(event: EventT[Any]) -> tuple[int, int]:
    bundle = _bundle(event)
    return len(bundle.records), bundle.value_bytes
