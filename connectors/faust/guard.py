"""Between a handler and Kafka: an event is finished only when its outputs are stored. Knows no Faust.

PermanentError: a dead letter takes the place of the outputs.
TransientError: the same event again after a pause that doubles, for as long as it takes (an output that Kafka
    does not take: `send_attempts` times, then FatalError). Heartbeats go on meanwhile, on another thread; a
    rebalance or a shutdown ends the wait, and the event is read again later.
FatalError: passed on; the process must exit.
Anything else: once more, then a dead letter with cause `unexpected`. A bug must not block a partition.
"""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from connectors.dead_letters.writer import DeadLetterWriter
from connectors.telemetry.metrics import EVENT_BATCH_SECONDS, EVENTS_RETRIED
from schemas.errors import DragomanError, FatalError, PermanentError, TransientError
from schemas.messages import DeadLetter
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DEAD_LETTERS

log = structlog.get_logger()

HandleEvent = Callable[[InboundRecord], Awaitable[Sequence[OutboundRecord]]]
OnDelivered = Callable[[Sequence[InboundRecord]], Awaitable[None]]
# The dead letter with what is known of its request, and what else to send. Must not raise.
RefuseEvent = Callable[[InboundRecord, PermanentError, DeadLetter], tuple[DeadLetter, Sequence[OutboundRecord]]]
# Raises TransientError, or PermanentError for a record that Kafka will never take.
SendRecord = Callable[[OutboundRecord], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

_SLICE_SECONDS = 0.25


class WaitInterruptedError(Exception):
    """The partitions are about to go while an event still cannot be processed; nothing of it is finished."""


async def _nothing(_records: Sequence[InboundRecord]) -> None:
    """Nobody waits for the delivery."""


@dataclass(frozen=True)
class EventHandler:
    """What one process does with an event, and what it does once the outputs are stored."""

    letters: DeadLetterWriter
    handle: HandleEvent
    delivered: OnDelivered = _nothing
    refusal: RefuseEvent = lambda _record, _error, letter: (letter, ())

    @property
    def stage(self) -> str:
        """Its name in letters, logs and metrics."""
        return self.letters.stage


@dataclass(frozen=True)
class Patience:
    """How to wait after a transient failure. Seconds."""

    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 3.0
    send_attempts: int = 20
    is_interrupted: Callable[[], bool] = lambda: False
    on_waiting: Callable[[str], None] = lambda _reason: None
    on_working: Callable[[], None] = lambda: None
    sleep: Sleep = asyncio.sleep

    async def pause(self, error: TransientError, failures: int) -> None:
        """Half to all of the doubled first pause. Raises WaitInterruptedError as soon as that is so."""
        self.on_waiting(str(error))
        first = max(self.first_pause_seconds, error.retry_after_seconds)
        left = min(first * 2.0 ** min(failures - 1, 10), self.longest_pause_seconds) * random.uniform(0.5, 1)
        while left > 0:
            if self.is_interrupted():
                raise WaitInterruptedError
            await self.sleep(min(left, _SLICE_SECONDS))
            left -= _SLICE_SECONDS


class EventProcessor:
    """Processes events one after the other and awaits their deliveries together, `unsent_bytes` at a time."""

    def __init__(self, step: EventHandler, send: SendRecord, patience: Patience, unsent_bytes: int = 8_000_000) -> None:
        self._step = step
        self._send = send
        self._patience = patience
        self._unsent_bytes = unsent_bytes
        self._has_waited = False

    async def process(self, records: Sequence[InboundRecord]) -> None:
        """Returns when the outputs of all are stored. Raises WaitInterruptedError or FatalError."""
        with EVENT_BATCH_SECONDS.labels(self._step.stage).time():
            try:
                await self._process(records)
            finally:
                # Also when a rebalance ended the wait: whoever has the events now waits for itself.
                self._wait_is_over()

    async def _process(self, records: Sequence[InboundRecord]) -> None:
        start = unsent = 0
        outputs: list[Sequence[OutboundRecord]] = []
        for at, record in enumerate(records, 1):
            outputs.append(await self._outputs(record))
            unsent += sum(len(output.value or b"") for output in outputs[-1])
            if unsent >= self._unsent_bytes or at == len(records):
                await self._store(records[start:at], outputs)
                start, unsent, outputs = at, 0, []

    def _wait_is_over(self) -> None:
        if self._has_waited:
            self._has_waited = False
            self._patience.on_working()

    async def _store(self, records: Sequence[InboundRecord], outputs: Sequence[Sequence[OutboundRecord]]) -> None:
        await self._deliver(records, outputs)
        await self._step.delivered(records)

    async def _outputs(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        failures = surprises = 0
        while True:
            try:
                return await self._step.handle(record)
            except PermanentError as error:
                return self._refused(record, error)
            except TransientError as error:
                failures += 1
                await self._retry(error, failures)
            except FatalError:
                raise
            except Exception as error:
                surprises += 1
                _log_surprise(self._step.stage, record, error)
                if surprises > 1:
                    return self._refused(record, _unexpected(error))

    async def _deliver(
        self, records: Sequence[InboundRecord], outputs: Sequence[Sequence[OutboundRecord]]
    ) -> None:
        waiting = [(record, output) for record, group in zip(records, outputs, strict=True) for output in group]
        failures = 0
        while waiting:
            answers = await asyncio.gather(*(self._outcome(output) for _, output in waiting))
            left = [(*pair, error) for pair, error in zip(waiting, answers, strict=True) if error is not None]
            waiting = [again for failed in left for again in self._second_try(*failed)]
            transient = [error for *_, error in left if isinstance(error, TransientError)]
            if transient:
                failures += 1
                self._check_attempts(failures, transient[0])
                await self._retry(transient[0], failures)

    def _check_attempts(self, failures: int, error: TransientError) -> None:
        # A producer may have failed for good without saying so; a fresh process has a fresh one.
        if failures >= self._patience.send_attempts:
            raise FatalError(f"Kafka took no output in {failures} attempts: {error}") from error

    async def _outcome(self, output: OutboundRecord) -> DragomanError | None:
        try:
            await self._send(output)
        except (TransientError, PermanentError) as error:
            return error
        return None

    def _second_try(
        self, record: InboundRecord, output: OutboundRecord, error: DragomanError
    ) -> list[tuple[InboundRecord, OutboundRecord]]:
        if not isinstance(error, PermanentError):
            return [(record, output)]
        if output.topic == DEAD_LETTERS:
            raise FatalError(f"Kafka refuses a dead letter for {record.coordinates}: {error}") from error
        # The letter alone: a refusal that is too large itself would be tried for ever.
        return [(record, self._step.letters.record_of(self._step.letters.letter_of(record, error)))]

    async def _retry(self, error: TransientError, failures: int) -> None:
        EVENTS_RETRIED.labels(self._step.stage).inc()
        log.warning("event_retried", stage=self._step.stage, error=str(error), failures=failures)
        self._has_waited = True
        await self._patience.pause(error, failures)

    def _refused(self, record: InboundRecord, error: PermanentError) -> list[OutboundRecord]:
        letters = self._step.letters
        letter, others = self._step.refusal(record, error, letters.letter_of(record, error))
        return [letters.record_of(letter), *others]


def _log_surprise(stage: str, record: InboundRecord, error: Exception) -> None:
    # Where it happened, but not the exception's message, which may quote the text.
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("event_surprised", stage=stage, record=record.coordinates, error=type(error).__name__, trace=trace)


def _unexpected(error: Exception) -> PermanentError:
    return PermanentError(
        "unexpected",
        f"processing failed twice with {type(error).__name__}",
        cure="this is a defect of Dragoman: see the logs, then redrive",
    )
