"""Process events so that each is finished only when its outputs are stored. Knows no Faust.

For a batch of events in order:

1. Call the handler with each event and collect its outputs.
2. Send the outputs, once they exceed `unsent_bytes` or the batch ends, and wait until all are stored.
3. Tell the handler that they are delivered, and go on with the next event.

What an error does:

PermanentError: a dead letter takes the place of the event's outputs.
TransientError: the same event again, after a pause that doubles, for as long as it takes. An output that Kafka
    does not take is sent again too, but only `send_attempts` times; then FatalError. Heartbeats go on meanwhile,
    on another thread. A rebalance or a shutdown ends the wait, and the event is read again later.
FatalError: passed on; the process must exit.
Anything else is a defect: the event is tried once more, then becomes a dead letter with cause `unexpected`,
    because a defect must not block a partition.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.telemetry.metrics import EVENT_BATCH_SECONDS, EVENTS_RETRIED
from schemas.errors import DragomanError, FatalError, PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DEAD_LETTERS
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()

HandleEvent = Callable[[InboundRecord], Awaitable[Sequence[OutboundRecord]]]
"""Returns the outputs of an event. May raise any error; is called again after a TransientError."""

OnDelivered = Callable[[Sequence[InboundRecord]], Awaitable[None]]
"""Learns that the outputs of these events are stored. Losing this call must do no harm."""

RefuseEvent = Callable[[InboundRecord, PermanentError, DeadLetter], tuple[DeadLetter, Sequence[OutboundRecord]]]
"""Returns the dead letter with what is known of its request, and what else to send. Must not raise."""

SendRecord = Callable[[OutboundRecord], Awaitable[None]]
"""Waits until the record is stored. Raises TransientError, or PermanentError if Kafka will never take it."""

Sleep = Callable[[float], Awaitable[None]]

_SLICE_SECONDS = 0.25


class WaitInterruptedError(Exception):
    """The partitions are about to be revoked while an event still cannot be processed; it is not finished."""


async def _nothing(_records: Sequence[InboundRecord]) -> None:
    """Do nothing with a delivery."""


@dataclass(frozen=True)
class EventHandler:
    """What one process does with an event, and what it does once the outputs are stored."""

    dead_letters: DeadLetterWriter
    handle: HandleEvent
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
    pause; `on_working` is called when a batch that had to wait ends. `sleep` gets seconds.
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
    """Processes the events of one topic in order, and sends their outputs `unsent_bytes` at a time."""

    def __init__(
        self, handler: EventHandler, send: SendRecord, retry: EventRetry, unsent_bytes: int = 8_000_000
    ) -> None:
        self._handler = handler
        self._send = send
        self._retry = retry
        self._unsent_bytes = unsent_bytes
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
        start = unsent = 0
        outputs: list[Sequence[OutboundRecord]] = []
        for end, record in enumerate(records, 1):
            outputs.append(await self._outputs(record))
            unsent += sum(len(output.value or b"") for output in outputs[-1])
            if unsent >= self._unsent_bytes or end == len(records):
                await self._deliver(records[start:end], outputs)
                await self._handler.delivered(records[start:end])
                start, unsent, outputs = end, 0, []

    async def _outputs(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        """Call the handler until it answers; return its outputs, or a dead letter with what goes with it."""
        failures = defects = 0
        while True:
            try:
                return await self._handler.handle(record)
            except PermanentError as error:
                return self._refused(record, error)
            except TransientError as error:
                failures += 1
                await self._pause(error, failures)
            except FatalError:
                raise
            except Exception as error:
                defects += 1
                _log_defect(self._handler.stage, record, error)
                if defects > 1:
                    return self._refused(record, _unexpected(error))

    async def _deliver(
        self, records: Sequence[InboundRecord], outputs: Sequence[Sequence[OutboundRecord]]
    ) -> None:
        """Send all outputs together, and those that failed again, until all are stored."""
        unsent = [(record, output) for record, group in zip(records, outputs, strict=True) for output in group]
        failures = 0
        while unsent:
            errors = await asyncio.gather(*(self._send_error(output) for _, output in unsent))
            failed = [(*pair, error) for pair, error in zip(unsent, errors, strict=True) if error is not None]
            unsent = [self._next_try(*one) for one in failed]
            transient = [error for *_, error in failed if isinstance(error, TransientError)]
            if transient:
                failures += 1
                self._check_attempts(failures, transient[0])
                await self._pause(transient[0], failures)

    async def _send_error(self, output: OutboundRecord) -> DragomanError | None:
        try:
            await self._send(output)
        except (TransientError, PermanentError) as error:
            return error
        return None

    def _next_try(
        self, record: InboundRecord, output: OutboundRecord, error: DragomanError
    ) -> tuple[InboundRecord, OutboundRecord]:
        if not isinstance(error, PermanentError):
            return record, output
        if output.topic == DEAD_LETTERS:
            raise FatalError(f"Kafka refuses a dead letter for {record.coordinates}: {error}") from error
        # The dead letter alone, without what `refusal` adds: if that is too large itself, this would never end.
        dead_letters = self._handler.dead_letters
        return record, dead_letters.record_of(dead_letters.dead_letter_of(record, error))

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
    log.error("event_surprised", stage=stage, record=record.coordinates, error=type(error).__name__, trace=trace)


def _unexpected(error: Exception) -> PermanentError:
    return PermanentError(
        "unexpected",
        f"processing failed twice with {type(error).__name__}",
        cure="this is a defect of Dragoman: see the logs, then redrive",
    )
