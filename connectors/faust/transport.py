"""Faust's Kafka transport with four corrections, which use private parts of pinned versions.

1. It reads committed records only.
2. It commits what is *finished* instead of what Faust counts as acked: Faust acks an event although its agent
   failed, skipped it or was cancelled.
3. It fetches no more of a topic while too many records or bytes of it are unfinished: Faust counts records only.
4. It reads records whose header names are not UTF-8. The protocol says that they are strings, but no broker checks
   it, and aiokafka would fail on such a record for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiokafka
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, Message

_FIRST_FORMAT_WITH_HEADERS = 2
# As Faust's own buffers: below it, fetching goes on.
_RESUME_SHARE = 0.4


class ReadCommittedThread(AIOKafkaConsumerThread):
    """A consumer thread that hides records of open and aborted transactions."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        forgive_header_names()
        consumer = super()._create_worker_consumer(transport)
        # Faust sets it only in its own exactly-once mode, which loses records.
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_thread_stop(self) -> None:
        """Leave the group, even as a static member (connectors/kafka/static_membership.py says why)."""
        if self._consumer is not None and self._consumer._coordinator is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()


@dataclass(frozen=True)
class HeldLimits:
    """The most unfinished records of a topic, and the most bytes of their values."""

    records: int
    value_bytes: int


@dataclass
class _Held:
    """What is unfinished of one topic."""

    records: int = 0
    value_bytes: int = 0
    is_paused: bool = False

    def share_of(self, limits: HeldLimits) -> float:
        return max(self.records / limits.records, self.value_bytes / limits.value_bytes)


class FinishedConsumer(Consumer):
    """Commits, per partition, the offset after the last finished event. Agents finish in order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._finished: dict[TP, int] = {}
        self._abandoned_generation: int | None = None
        self._held: dict[str, _Held] = {}
        self._limits: HeldLimits = self.app.held_limits  # type: ignore[attr-defined]  # of connectors.faust.app

    def received(self, message: Message) -> None:
        """Count an event that is not finished; fetch no more of its topic while there are too many."""
        if message.generation_id != self.app.consumer_generation_id:
            return
        held = self._held.setdefault(message.topic, _Held())
        held.records += 1
        held.value_bytes += len(message.value or b"")
        if held.share_of(self._limits) >= 1:
            held.is_paused = True
            for tp in self._partitions_of(message.topic):
                self.on_buffer_full(tp)

    def finish(self, message: Message) -> None:
        """Note that the outputs of this event and all before it are stored. Ignored after a rebalance."""
        generation = message.generation_id
        if generation != self.app.consumer_generation_id:
            return
        self._release(message)
        if generation != self._abandoned_generation:
            self._finished[message.tp] = message.offset + 1

    def abandon(self) -> None:
        """Commit nothing more before the next assignment: no later event may pass the one that was given up."""
        self._abandoned_generation = self.app.consumer_generation_id

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._finished.clear()
        self._held.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def _release(self, message: Message) -> None:
        held = self._held.get(message.topic)
        if held is None:
            return
        held.records -= 1
        held.value_bytes -= len(message.value or b"")
        if held.is_paused and held.share_of(self._limits) <= _RESUME_SHARE:
            held.is_paused = False
            for tp in self._partitions_of(message.topic):
                self.on_buffer_drop(tp)

    def _partitions_of(self, topic: str) -> list[TP]:
        return [tp for tp in self.assignment() if tp.topic == topic]

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        del topics  # all are committed together
        return iter(tuple(self._finished))

    def _new_offset(self, tp: TP) -> int | None:
        # Faust's own bookkeeping would grow without bound, as nothing else empties it.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        self._gap.pop(tp, None)
        return self._finished.get(tp)


class DurableTransport(Transport):
    """The transport with all corrections."""

    Consumer = FinishedConsumer


def forgive_header_names() -> None:
    """Make every consumer of this process replace bytes of header names that are not UTF-8 by U+FFFD."""
    fetcher.MemoryRecords = ForgivingRecords


class ForgivingRecords(_MemoryRecordsPy):  # type: ignore[misc]  # an untyped base
    """The record batches of one fetch."""

    def next_batch(self, *args: int) -> Any:
        """Return the next batch; formats before Kafka 0.11 have no headers and stay as they are."""
        data = self._next_slice
        batch = super().next_batch(*args)
        return (
            batch
            if batch is None or batch.magic < _FIRST_FORMAT_WITH_HEADERS
            else ForgivingBatch(batch, bytes(data))
        )


class ForgivingBatch:
    """A batch that continues with the slower Python code where the compiled code fails on a header name."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data
        self._taken = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> "ForgivingBatch":
        iter(self._batch)
        return self

    def __next__(self) -> Any:
        try:
            record = next(self._batch)
        except UnicodeDecodeError:
            self._batch = _leniently(self._data, self._taken)
            record = next(self._batch)
        self._taken += 1
        return record


def _leniently(data: bytes, taken: int) -> Any:
    batch = _DefaultRecordBatchPy(data)
    batch._maybe_uncompress()
    batch._buffer = _LenientBuffer(batch._buffer)
    for _ in range(taken):
        next(batch)
    return batch


class _LenientBuffer(bytes):
    """Bytes whose slices can always be decoded."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientName(found) if isinstance(found, bytes) else found


class _LenientName(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
