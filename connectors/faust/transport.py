"""Faust's Kafka transport with six corrections, which use private parts of pinned versions.

1. It reads committed records only, and those with odd header names, too (connectors/faust/header_names.py).
2. It commits what is *finished* instead of what Faust counts as acked: Faust acks an event although its agent
   failed, skipped it or was cancelled.
3. It commits in the generation in which the events were finished, or not at all. aiokafka names the generation of
   the moment: a member that had stood still for a while, lost its partitions and got them back would commit what
   it had finished before, and the offsets would go back behind what another member had committed meanwhile.
4. It fetches no more of a topic while too many records or bytes of it are unfinished: Faust counts records only.
5. What a fetch or a poll leaves out waits a moment for it, not for a second (connectors/faust/fetching.py).
6. What is fetched together is handed over together (connectors/faust/bundles.py).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiokafka
from aiokafka.errors import IllegalGenerationError, KafkaError, RebalanceInProgressError, UnknownMemberIdError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport, ensure_aiokafka_TP
from faust.types import TP

from connectors.faust.bundles import Bundle, bundled
from connectors.faust.fetching import hurry_partial_fetches
from connectors.faust.header_names import forgive_header_names

_COMMIT_RETRY_SECONDS = 0.1
# Each says that the group has gone on without this commit. Whoever has the partitions now does the records again.
_TOO_LATE = (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError)
_SHORT_WAIT_SECONDS = 0.02
# As Faust's own buffers: below it, fetching goes on.
_RESUME_SHARE = 0.4


class DurableThread(AIOKafkaConsumerThread):
    """A consumer thread that hides records of open and aborted transactions, and commits in one generation."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        forgive_header_names()
        hurry_partial_fetches()
        consumer = super()._create_worker_consumer(transport)
        # Faust sets it only in its own exactly-once mode, which loses records.
        consumer._isolation_level = "read_committed"
        return consumer

    async def commit_within(self, generation: int, offsets: Mapping[TP, int]) -> bool:
        """Commit the offsets in this generation of the group; return False if it is over or ends meanwhile."""
        stored: bool = await self.call_thread(self._commit_within, generation, offsets)
        return stored

    async def _commit_within(self, generation: int, offsets: Mapping[TP, int]) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        self.tp_last_committed_at.update(dict.fromkeys(offsets, monotonic()))
        named = {ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        while coordinator.generation == generation:
            try:
                await coordinator.ensure_coordinator_known()
                async with coordinator._commit_lock:
                    # The request names the coordinator's generation, and nothing is awaited until it does.
                    if coordinator.generation == generation:
                        await coordinator._do_commit_offsets(None, named)
                        return True
            except _TOO_LATE:
                return False
            except KafkaError as error:
                if not error.retriable:
                    await self.crash(error)
                    return False
                await asyncio.sleep(_COMMIT_RETRY_SECONDS)
        return False

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
    """Commits, per partition, the offset after the last finished record. Agents finish in order."""

    _thread: DurableThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._finished: dict[TP, int] = {}
        self._stored: dict[TP, int] = {}
        self._generation = 0
        self._is_abandoned = False
        self._held: dict[str, _Held] = {}
        self._limits: HeldLimits = self.app.held_limits  # type: ignore[attr-defined]  # of connectors.faust.app

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, Any]:
        # What is released meanwhile would wait for the end of this call, that is for records of other topics.
        is_held_up = any(held.is_paused for held in self._held.values())
        fetched = await super()._getmany(active_partitions, _SHORT_WAIT_SECONDS if is_held_up else timeout)
        limits = self.app.take_limits  # type: ignore[attr-defined]  # of connectors.faust.app
        return {tp: list(bundled(records, limits)) for tp, records in fetched.items()}

    def _to_message(self, tp: TP, record: Any) -> Bundle:
        return Bundle(tp, record, self.app.consumer_generation_id)

    def received(self, bundle: Bundle) -> None:
        """Count records that are not finished; fetch no more of their topic while there are too many."""
        if bundle.generation_id != self._generation:
            return
        held = self._held.setdefault(bundle.topic, _Held())
        held.records += len(bundle.records)
        held.value_bytes += bundle.value_bytes
        if held.share_of(self._limits) >= 1:
            held.is_paused = True
            for tp in self._partitions_of(bundle.topic):
                self.on_buffer_full(tp)

    def finish(self, bundle: Bundle) -> None:
        """Note that the outputs of these records and all before them are stored. Ignored after a rebalance."""
        if bundle.generation_id != self._generation:
            return
        self._release(bundle)
        if not self._is_abandoned:
            self._finished[bundle.tp] = bundle.offset + 1

    def abandon(self) -> None:
        """Commit nothing more before the next assignment: no later event may pass the one that was given up."""
        self._is_abandoned = True

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what is finished and not stored yet; return whether there was something and it is stored now."""
        del topics, start_new_transaction  # all are committed together, and in no transaction of Faust's
        self._forget_acks()
        generation, due = self._generation, self._due()
        if not due or not await self._thread.commit_within(generation, due):
            return False
        if generation == self._generation:
            self._stored.update(due)
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note no gap: Faust's bookkeeping commits nothing, and between two bundles there always is one."""

    async def verify_all_partitions_active(self) -> None:
        """Look for nothing: Faust would only log it, for every partition, every 2.5 s.

        Whether the process gets on is measured by what its group commits (stream_apps/runtime/consumer_health.py).
        """

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._begin(generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    def _begin(self, generation: int) -> None:
        self._generation = generation
        self._is_abandoned = False
        for of_the_last in (self._finished, self._stored, self._held):
            of_the_last.clear()

    def _due(self) -> dict[TP, int]:
        return {tp: offset for tp, offset in self._finished.items() if offset != self._stored.get(tp)}

    def _forget_acks(self) -> None:
        """Empty Faust's own bookkeeping, which would grow without bound: nothing else does."""
        for tp in tuple(self._acked):
            self._acked[tp].clear()
            self._acked_index[tp].clear()
            self._gap.pop(tp, None)

    def _release(self, bundle: Bundle) -> None:
        held = self._held.get(bundle.topic)
        if held is None:
            return
        held.records -= len(bundle.records)
        held.value_bytes -= bundle.value_bytes
        if held.is_paused and held.share_of(self._limits) <= _RESUME_SHARE:
            held.is_paused = False
            for tp in self._partitions_of(bundle.topic):
                self.on_buffer_drop(tp)

    def _partitions_of(self, topic: str) -> list[TP]:
        return [tp for tp in self.assignment() if tp.topic == topic]

    def _new_consumer_thread(self) -> DurableThread:
        return DurableThread(self, loop=self.loop, beacon=self.beacon)


class DurableTransport(Transport):
    """The transport with all corrections."""

    Consumer = FinishedConsumer
