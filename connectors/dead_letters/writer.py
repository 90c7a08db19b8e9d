"""The one place where a failure becomes a record of translation.dead_letters."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from connectors.dead_letters.ration import TokenBucket
from connectors.dead_letters.settings import DeadLetterSettings
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.dead_letters import dead_letter_of, dead_letter_record, without_original
from schemas.errors import PermanentError
from schemas.messages import DeadLetter
from schemas.records import InboundRecord, OutboundRecord

log = structlog.get_logger()


@dataclass(frozen=True)
class DeadLetterWriter:
    """Writes the letters of one stage. `now_ms` is milliseconds since the epoch."""

    stage: str
    codec: Codec
    ration: TokenBucket
    max_message_bytes: int
    now_ms: Callable[[], int]

    def letter_of(self, record: InboundRecord, error: PermanentError) -> DeadLetter:
        """What there is to say of a record that cannot be processed."""
        return dead_letter_of(record, error, stage=self.stage, now_ms=self.now_ms())

    def record_of(self, letter: DeadLetter) -> OutboundRecord:
        """The letter, ready to send, counted and logged.

        The original stays behind, in the topic that the coordinates name, where it would exceed the ration or
        what Kafka takes in one record.
        """
        whole = dead_letter_record(letter, self.codec, self.max_message_bytes)
        metrics.DEAD_LETTERS.labels(self.stage, letter.cause).inc()
        log.info("dead_letter", stage=self.stage, cause=letter.cause, attempt=letter.attempt, record=_of(letter))
        if self.ration.grants(len(whole.value or b"")):
            return whole
        metrics.DEAD_LETTERS_RATIONED.labels(self.stage).inc()
        return dead_letter_record(without_original(letter), self.codec, self.max_message_bytes)


def open_dead_letters(stage: str, codec: Codec, settings: DeadLetterSettings, max_message_bytes: int) -> DeadLetterWriter:
    """The writer of one process."""
    ration = TokenBucket(settings.bytes_per_second, settings.burst_bytes, time.monotonic)
    return DeadLetterWriter(stage, codec, ration, max_message_bytes, lambda: time.time_ns() // 1_000_000)


def _of(letter: DeadLetter) -> str:
    return f"{letter.topic}-{letter.partition}-{letter.offset}"
