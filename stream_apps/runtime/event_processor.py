"""Process takes of events so that each event is finished only when its outputs are stored. Knows no Faust.

For a take of events in order:

1. Ask the schema registry, on another thread, for what reading the events and writing the outputs needs; without
   an answer only the events before take part. Nearly always everything is known already.
2. Call the handler with the events, in a turn of its own; it returns the outcomes of the first of them.
3. Send their outputs together and wait until all are stored.
4. Tell the handler that they are delivered, and go on with the next event.

What an error does:

PermanentError: a dead letter takes the place of the event's outputs.
TransientError: the same events again, after a pause that doubles, for as long as it takes. An output that Kafka
    does not take is sent again too, but only `send_attempts` times; then FatalError. Heartbeats go on meanwhile,
    on another thread. A rebalance or a shutdown ends the wait, and the events are read again later.
FatalError: passed on; the process must exit.
Anything else is a defect: fewer events are tried, down to one; one that fails twice becomes a dead letter with
    cause `unexpected`, because a defect must not block a partition.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import structlog

from connectors.telemetry.metrics import EVENT_BATCH_SECONDS, EVENTS_RETRIED
from schemas.errors import DragomanError, FatalError, PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.topics import DEAD_LETTERS
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()

Outputs = Sequence[OutboundRecord]

HandleEvents = Callable[[Sequence[InboundRecord]], Awaitable[Sequence[Outputs | PermanentError]]]
"""Returns the outcomes of the first events, in order: their outputs, or why they are refused. At least one.

May raise any error; is called again after a TransientError.
"""

OnDelivered = Callable[[Sequence[InboundRecord], Sequence[Sequence[StoredAt]]], Awaitable[None]]
"""Learns where the outputs of these events are stored. Called again after a TransientError."""

RefuseEvent = Callable[[InboundRecord, PermanentError, DeadLetter], tuple[DeadLetter, Outputs]]
"""Returns the dead letter with what is known of its request, and what else to send. Must not raise."""

StoreRecords = Callable[[Outputs], Awaitable[Sequence[StoredAt | DragomanError]]]
"""Waits until all records are settled: stored, or failed (PermanentError if Kafka will never take it).

Raises FatalError when nothing more can be sent.
"""

Sleep = Callable[[float], Awaitable[None]]

_SLICE_SECONDS = 0.25


class WaitInterruptedError(Exception):
    """The partitions are about to be revoked while an event still cannot be processed; it is not finished."""


async def _nothing(_records: Sequence[InboundRecord], _places: Sequence[Sequence[StoredAt]]) -> None:
    """Do nothing with a delivery."""


@dataclass(frozen=True)
class EventHandler:
    """What one process does with events, and what it does once the outputs are stored."""

    dead_letters: DeadLetterWriter
    handle: HandleEvents
    delivered: OnDelivered = _nothing
    refusal: RefuseEvent = lambda _record, _error, dead_letter: (dead_letter, ())

    @property
    def stage(self) -> str:
        """Return its name in dead letters, logs and metrics."""
        return self.dead_letters.stage


@dataclass(frozen=True)
class EventRetry:
    """How long an event waits after a transient failure, and who is told of it.

    `is_interrupted` is asked several times a second during a pause. `on_waiting` gets the reason before each
    pause; `on_working` is called when a take that had to wait ends. `sleep` gets seconds.
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    send_attempts: int = 20
    is_interrupted: Callable[[], bool] = lambda: False
    on_waiting: Callable[[str], None] = lambda _reason: None
    on_working: Callable[[], None] = lambda: None
    sleep: Sleep = asyncio.sleep

    async def pause(self, error: TransientError, failures: int) -> None:
        """Wait as the policy says. Raises WaitInterruptedError as soon as the partitions are about to go."""
        self.on_waiting(str(error))
        left = self.policy.pause_seconds(failures, random.random(), error.retry_after_seconds)
        while left > 0:
            if self.is_interrupted():
                raise WaitInterruptedError
            await self.sleep(min(left, _SLICE_SECONDS))
            left -= _SLICE_SECONDS


class EventProcessor:
    """Processes the events of one topic in order. `turn` is held while the handler works, not while it sends."""

    def __init__(
        self,
        handler: EventHandler,
        store: StoreRecords,
        retry: EventRetry,
        turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._handler = handler
        self._store = store
        self._retry = retry
        self._turn = turn
        self._has_waited = False

    async def process(self, records: Sequence[InboundRecord]) -> bool:
        """Return True when the outputs of all are stored, False when a rebalance or a stop came first.

        Waits for as long as it takes. Raises FatalError.
        """
        with EVENT_BATCH_SECONDS.labels(self._handler.stage).time():
            try:
                await self._process(records)
                return True
            except WaitInterruptedError:
                return False
            finally:
                # Also after a rebalance: the process that gets the events now reports its own waits.
                self._end_wait()

    async def _process(self, records: Sequence[InboundRecord]) -> None:
        left = list(records)
        while left:
            outputs = await self._outputs(left)
            done, left = left[: len(outputs)], left[len(outputs) :]
            places = await self._deliver(done, outputs)
            await self._tell(done, places)

    async def _outputs(self, records: Sequence[InboundRecord]) -> list[Outputs]:
        """Return the outputs of the first records, one at least. A defect is looked for by halves."""
        size, is_second_try = len(records), False
        while True:
            try:
                return await self._handled(records[:size])
            except (DragomanError, WaitInterruptedError):
                raise
            except Exception as error:
                _log_defect(self._handler.stage, records[0], error)
                if size == 1 and is_second_try:
                    return [self._refused(records[0], _unexpected(error))]
                size, is_second_try = max(size // 2, 1), size == 1

    async def _handled(self, records: Sequence[InboundRecord]) -> list[Outputs]:
        """Call the handler until it answers. Raises what is a defect."""
        failures = 0
        while True:
            try:
                readable = await self._readable(records)
                async with self._turn():
                    outcomes = await self._handler.handle(readable)
            except TransientError as error:
                failures += 1
                await self._pause(error, failures)
                continue
            return [
                self._refused(record, outcome) if isinstance(outcome, PermanentError) else outcome
                for record, outcome in zip(readable, outcomes, strict=False)
            ]

    async def _readable(self, records: Sequence[InboundRecord]) -> Sequence[InboundRecord]:
        """Return the first records whose schemas are known, or refused; one at least. Raises TransientError."""
        codec = self._handler.dead_letters.codec
        for at, record in enumerate(records):
            if codec.is_at_hand(record.value, record.headers):
                continue
            try:
                await asyncio.to_thread(codec.look_up, record.value, record.headers)
            except TransientError:
                if not at:
                    raise
                return records[:at]
        return records

    async def _deliver(
        self, records: Sequence[InboundRecord], outputs: Sequence[Outputs]
    ) -> list[Sequence[StoredAt]]:
        """Send all outputs together, and those that failed again, until all are stored; return where they are."""
        sends = [(at, output) for at, group in enumerate(outputs) for output in group]
        places: list[list[StoredAt]] = [[] for _ in records]
        failures = 0
        while sends:
            outcomes = await self._store([output for _, output in sends])
            again, waited_for = [], None
            for (at, output), outcome in zip(sends, outcomes, strict=True):
                if isinstance(outcome, StoredAt):
                    places[at].append(outcome)
                    continue
                again.append((at, self._next_try(records[at], output, outcome)))
                waited_for = outcome if isinstance(outcome, TransientError) else waited_for
            sends = again
            if waited_for is not None:
                failures += 1
                self._check_attempts(failures, waited_for)
                await self._pause(waited_for, failures)
        return [tuple(found) for found in places]

    async def _tell(self, records: Sequence[InboundRecord], places: Sequence[Sequence[StoredAt]]) -> None:
        failures = 0
        while True:
            try:
                await self._handler.delivered(records, places)
                return
            except TransientError as error:
                failures += 1
                await self._pause(error, failures)

    def _next_try(self, record: InboundRecord, output: OutboundRecord, error: DragomanError) -> OutboundRecord:
        if isinstance(error, FatalError):
            raise error
        if not isinstance(error, PermanentError):
            return output
        if output.topic == DEAD_LETTERS:
            raise FatalError(f"Kafka refuses a dead letter for {record.coordinates}: {error}") from error
        # The dead letter alone, without what `refusal` adds: if that is too large itself, this would never end.
        dead_letters = self._handler.dead_letters
        return dead_letters.record_of(dead_letters.dead_letter_of(record, error))

    def _check_attempts(self, failures: int, error: TransientError) -> None:
        # A producer may have failed for good without saying so; a new process has a new one.
        if failures >= self._retry.send_attempts:
            raise FatalError(f"Kafka took no output in {failures} attempts: {error}") from error

    async def _pause(self, error: TransientError, failures: int) -> None:
        EVENTS_RETRIED.labels(self._handler.stage).inc()
        log.warning("event_retried", stage=self._handler.stage, error=str(error), failures=failures)
        self._has_waited = True
        await self._retry.pause(error, failures)

    def _end_wait(self) -> None:
        if self._has_waited:
            self._has_waited = False
            self._retry.on_working()

    def _refused(self, record: InboundRecord, error: PermanentError) -> list[OutboundRecord]:
        dead_letters = self._handler.dead_letters
        dead_letter, others = self._handler.refusal(record, error, dead_letters.dead_letter_of(record, error))
        return [dead_letters.record_of(dead_letter), *others]


def _log_defect(stage: str, record: InboundRecord, error: Exception) -> None:
    # The place in the code, but not the exception's message, which may quote the text.
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("event_surprised", stage=stage, record=record, error=type(error).__name__, trace=trace)


def _unexpected(error: Exception) -> PermanentError:
    return PermanentError(
        "unexpected",
        f"processing failed twice with {type(error).__name__}",
        cure="this is a defect of Dragoman: see the logs, then redrive",
    )
