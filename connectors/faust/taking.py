"""Take the events of one topic together: whatever has arrived while the last take was processed.

Faust hands over one event at a time and waits for its acknowledgement. Here an event is only put into line, so
Faust goes on; a task of its own has the line processed, in order, and acknowledges each event when everything it
led to is stored. A rebalance waits for that, as it waits for any agent. A lone event is processed at once.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from faust.types import EventT

from schemas.errors import FATAL_EXIT_CODE
from schemas.records import InboundRecord

log = structlog.get_logger()

ProcessRecords = Callable[[Sequence[InboundRecord]], Awaitable[bool]]
"""Returns True once the outputs of all records are stored, False if their partitions are about to be revoked."""


class Finisher(Protocol):
    """The part of the consumer that decides what may be committed, and how much more is fetched."""

    def received(self, message: Any) -> None:
        """Note that this event is in line."""

    def finish(self, message: Any) -> None:
        """Note that this event and all before it are done."""

    def abandon(self) -> None:
        """Commit nothing more before the next assignment."""


@dataclass(frozen=True)
class TakeLimits:
    """The most events of one take, and the most bytes of their values; one event at least."""

    records: int
    value_bytes: int


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
        taken: list[EventT[Any]] = []
        size = 0
        while self._waiting and len(taken) < self._limits.records:
            size += len(self._waiting[0].message.value or b"")
            if taken and size > self._limits.value_bytes:
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _process_take(self, events: Sequence[EventT[Any]]) -> None:
        finisher = self._finisher()
        if await self._process([record_of(event) for event in events]):
            for event in events:
                finisher.finish(event.message)
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


def record_of(event: EventT[Any]) -> InboundRecord:
    """Return the record behind the event, as Kafka stored it."""
    message = event.message
    return InboundRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers={name: bytes(value or b"") for name, value in _pairs(message.headers)},
        timestamp_ms=round(message.timestamp * 1000),
    )


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    if not headers:
        return []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)
