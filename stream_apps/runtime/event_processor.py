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

    dead_letters: DeadLetterWriter
    handle: HandleEvent
    delivered: OnDelivered = _nothing
    refusal: RefuseEvent = lambda _record, _error, dead_letter: (dead_letter, ())

    @property
    def stage(self) -> str:
        """Its name in letters, logs and metrics."""
        return self.dead_letters.stage


@dataclass(frozen=True)
class EventRetry:
    """What happens while an event waits after a transient failure, and how long it waits."""

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
    """Processes events one after the other and awaits their deliveries together, `unsent_bytes` at a time."""

    def __init__(
        self, handler: EventHandler, send: SendRecord, retry: EventRetry, unsent_bytes: int = 8_000_000
    ) -> None:
        self._handler = handler
        self._send = send
        self._retry_rules = retry
        self._unsent_bytes = unsent_bytes
        self._has_waited = False

    async def process(self, records: Sequence[InboundRecord]) -> bool:
        """Return True when the outputs of all are stored, False when a rebalance or a stop came first.

        Raises FatalError.
        """
        with EVENT_BATCH_SECONDS.labels(self._handler.stage).time():
            try:
                await self._process(records)
                return True
            except WaitInterruptedError:
                return False
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
            self._retry_rules.on_working()

    async def _store(self, records: Sequence[InboundRecord], outputs: Sequence[Sequence[OutboundRecord]]) -> None:
        await self._deliver(records, outputs)
        await self._handler.delivered(records)

    async def _outputs(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        failures = surprises = 0
        while True:
            try:
                return await self._handler.handle(record)
            except PermanentError as error:
                return self._refused(record, error)
            except TransientError as error:
                failures += 1
                await self._retry(error, failures)
            except FatalError:
                raise
            except Exception as error:
                surprises += 1
                _log_surprise(self._handler.stage, record, error)
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
        if failures >= self._retry_rules.send_attempts:
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
        return [
            (
                record,
                self._handler.dead_letters.record_of(self._handler.dead_letters.dead_letter_of(record, error)),
            )
        ]

    async def _retry(self, error: TransientError, failures: int) -> None:
        EVENTS_RETRIED.labels(self._handler.stage).inc()
        log.warning("event_retried", stage=self._handler.stage, error=str(error), failures=failures)
        self._has_waited = True
        await self._retry_rules.pause(error, failures)

    def _refused(self, record: InboundRecord, error: PermanentError) -> list[OutboundRecord]:
        dead_letters = self._handler.dead_letters
        dead_letter, others = self._handler.refusal(record, error, dead_letters.dead_letter_of(record, error))
        return [dead_letters.record_of(dead_letter), *others]


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
