"""Follow translation.results, and wake whoever waits for the result of a job.

Each process reads the topic from its end, without a group, on a thread of its own. The changes of accounts come
the same way, so that they cost nothing at rest: they are read to their end before the tail is opened.

Whoever wants a result registers first and sends or looks afterwards, so nothing is missed: what arrived in the
last seconds, and may not be in Redis yet, is kept in a ring. A result that the tail does not see, because Kafka
was away, is found in Redis (missed_results.py).
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog

from connectors.telemetry.metrics import RESULT_WAITERS
from producers.http.errors import OverloadedError
from schemas.codec import Codec, M
from schemas.errors import DragomanError
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.records import InboundRecord

log = structlog.get_logger()

_TAKE_RECORDS, _TAKE_SECONDS = 500, 0.5
_REOPEN_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 1
# Longer than assembly takes from the commit of a result until Redis has it.
_RING_SECONDS, _RING_BYTES = 5.0, 8_000_000


class Tail(Protocol):
    """New records of a topic (connectors.kafka.partition_reader.PartitionReader)."""

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        """Return new records, none after the timeout. Raises TransientError or FatalError."""

    def close(self) -> None:
        """Close the connections."""


class Table(Protocol):
    """Topics that are read to their end and then followed (connectors.kafka.compacted_table.CompactedTable)."""

    def load(self) -> None:
        """Read to the end, unless that is done. Raises TransientError or FatalError."""

    def follow(self, record: InboundRecord) -> bool:
        """Take the record in; return False for one of another topic."""


async def read_message(codec: Codec, encoded: bytes | None, expected: type[M]) -> M:
    """Decode a message; where the schema registry has to be asked for its writer, on another thread."""
    if not codec.is_at_hand(encoded):
        await asyncio.to_thread(codec.look_up, encoded)
    return codec.decode(encoded, expected)


class WaiterLimits(NamedTuple):
    """How many may wait in this process, and how often a second those who look do so together."""

    most: int
    looks_per_second: float


@dataclass
class Lookers:
    """How many of those who wait look for themselves: at streams, and at jobs that are not known yet."""

    looks_per_second: float
    count: int = 0


@dataclass
class Waiter:
    """Somebody who waits for the result of one job. For the event loop that it was made on."""

    codec: Codec
    loop: asyncio.AbstractEventLoop
    lookers: "Lookers"
    looks: bool = field(default=False, init=False)
    _encoded: bytes | None = field(default=None, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def result(self, timeout_seconds: float) -> TranslationResult | None:
        """Return the result as soon as it is there; None when the time is up."""
        if not self._arrived.is_set():
            try:
                await asyncio.wait_for(self._arrived.wait(), max(timeout_seconds, 0))
            except TimeoutError:
                return None
        return await read_message(self.codec, self._encoded, TranslationResult)

    def pause(self, least_seconds: float) -> float:
        """Return the seconds until the next look at the job: longer where many look for themselves."""
        if not self.looks:
            self.looks = True
            self.lookers.count += 1
        return max(least_seconds, self.lookers.count / self.lookers.looks_per_second)

    def wake(self, encoded: bytes) -> None:
        """Hand over the result. From the loop's thread."""
        self._encoded = encoded
        self._arrived.set()


@dataclass(frozen=True)
class _Seen:
    at: float
    key: bytes
    value: bytes


class ResultTail:
    """The tail of the results. `open_tail` opens it at the topic's end, and where `table` goes on;
    `clock` counts seconds.
    """

    def __init__(
        self,
        open_tail: Callable[[], Tail],
        codec: Codec,
        limits: WaiterLimits,
        table: Table | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_tail = open_tail
        self._codec = codec
        self._limits = limits
        self._table = table
        self._clock = clock
        self._lock = threading.Lock()
        self._waiters: dict[bytes, list[Waiter]] = {}
        self._count = 0
        self._lookers = Lookers(limits.looks_per_second)
        self._ring: deque[_Seen] = deque()
        self._ring_bytes = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="result-tail", daemon=True)

    def start(self) -> None:
        """Begin to follow the topic. Returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop following it. Blocks for a second at most."""
        self._closing.set()
        self._thread.join(timeout=1.0)

    @contextmanager
    def expect(self, key: JobKey) -> Iterator[Waiter]:
        """Register somebody who waits for that result while the body runs; a result of just now is there at once.

        For an event loop. Raises OverloadedError while too many wait.
        """
        waiter, encoded = Waiter(self._codec, asyncio.get_running_loop(), self._lookers), key.encode()
        with self._lock:
            if self._count >= self._limits.most:
                raise OverloadedError(
                    f"{self._limits.most} callers wait for results in this process, which is the limit",
                    _RETRY_AFTER_SECONDS,
                )
            self._count += 1
            self._waiters.setdefault(encoded, []).append(waiter)
            seen = next((one for one in reversed(self._ring) if one.key == encoded), None)
        RESULT_WAITERS.inc()
        try:
            if seen is not None:
                waiter.wake(seen.value)
            yield waiter
        finally:
            RESULT_WAITERS.dec()
            self._lookers.count -= waiter.looks
            with self._lock:
                self._count -= 1
                self._waiters[encoded].remove(waiter)
                if not self._waiters[encoded]:
                    del self._waiters[encoded]

    def awaited(self) -> list[JobKey]:
        """Return the jobs whose results somebody waits for."""
        with self._lock:
            return [JobKey.parse(encoded.decode()) for encoded in self._waiters]

    def tell(self, key: JobKey, encoded: bytes) -> None:
        """Hand over a result that was found elsewhere. From any thread."""
        with self._lock:
            waiters = list(self._waiters.get(key.encode(), ()))
        for waiter in waiters:
            waiter.loop.call_soon_threadsafe(waiter.wake, encoded)

    def add(self, record: InboundRecord) -> None:
        """Take in a result, or a record of the table. From any thread."""
        if self._table and self._table.follow(record):
            return
        if not record.key or not record.value:
            return
        with self._lock:
            self._remember(_Seen(self._clock(), record.key, record.value))
            waiters = list(self._waiters.get(record.key, ()))
        for waiter in waiters:
            waiter.loop.call_soon_threadsafe(waiter.wake, record.value)

    def _remember(self, seen: _Seen) -> None:
        self._ring.append(seen)
        self._ring_bytes += len(seen.value)
        while self._ring_bytes > _RING_BYTES or self._ring[0].at < seen.at - _RING_SECONDS:
            self._ring_bytes -= len(self._ring.popleft().value)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._follow()
            except DragomanError as error:
                log.warning("result_tail_reopened", error=str(error))
                self._closing.wait(_REOPEN_SECONDS)

    def _follow(self) -> None:
        if self._table:
            self._table.load()
        tail = self._open_tail()
        try:
            while not self._closing.is_set():
                for record in tail.take(_TAKE_RECORDS, _TAKE_SECONDS):
                    self.add(record)
        finally:
            tail.close()
